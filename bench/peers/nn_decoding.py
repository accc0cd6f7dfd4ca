"""What PyTorch in f32, CTranslate2 in int8 and llama.cpp in Q8_0 take to decode: the likeliest token, a fixed number of times.

`peer` names which of them. All have the weights and prompts of `hawker bench nn`, which starts this script and gives each
turn; the time is that of the tokens after the prompt. The check is the mean cross-entropy of the prompts' tokens.
"""

import tempfile
import time
from pathlib import Path

import numpy

from nn_peer import options, take_turns, tensors, transformer


def mean_loss(logits, prompts):
    """Mean cross-entropy of each token but the first of every prompt; logits [B, T, V]."""
    logits = numpy.asarray(logits, dtype=numpy.float64)[:, :-1]
    highest = logits.max(-1, keepdims=True)
    log_sums = highest[..., 0] + numpy.log(numpy.exp(logits - highest).sum(-1))
    scores = numpy.take_along_axis(logits, prompts[:, 1:, None], -1)[..., 0]
    return float((log_sums - scores).mean())


def pytorch(sizes, weights, prompts):
    """Its own loop over a cache that is allocated once."""
    import torch

    torch.set_num_threads(sizes["threads"])
    torch.set_grad_enabled(False)
    model = transformer(sizes, weights).eval()
    batch, read = prompts.shape
    heads = sizes["heads"]
    shape = (batch, heads, sizes["positions"], sizes["width"] // heads)
    caches = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(sizes["layers"])]
    ids = torch.from_numpy(prompts)

    @torch.inference_mode()
    def turn():
        states = model.states(ids, caches)
        tokens = (states[:, -1:] @ model.table.t()).argmax(-1)
        started = time.perf_counter()
        for position in range(read, read + sizes["tokens"]):
            states = model.states(tokens, caches, position)
            tokens = (states @ model.table.t()).argmax(-1)
        return {"eager": time.perf_counter() - started}

    return f"PyTorch {torch.__version__} f32", mean_loss(model(ids), prompts), turn


def ctranslate2_model(sizes, weights, folder):
    """Writes the weights as a CTranslate2 model of 8 bits."""
    import ctranslate2
    from ctranslate2.specs import common_spec, transformer_spec

    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        sizes["layers"],
        sizes["heads"],
        activation=common_spec.Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=sizes["rotary_base"],
    )
    value = {name: tensor.numpy() for name, tensor in weights.items()}
    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = value["model.embed_tokens.weight"]
    decoder.projection.weight = value["model.embed_tokens.weight"].copy()
    decoder.layer_norm.gamma = value["model.norm.weight"]
    for n, layer in enumerate(decoder.layer):
        name = f"model.layers.{n}"
        projections = [value[f"{name}.self_attn.{part}_proj.weight"] for part in "qkv"]
        layer.self_attention.layer_norm.gamma = value[f"{name}.input_layernorm.weight"]
        layer.self_attention.linear[0].weight = numpy.concatenate(projections)
        layer.self_attention.linear[1].weight = value[f"{name}.self_attn.o_proj.weight"]
        layer.ffn.layer_norm.gamma = value[f"{name}.post_attention_layernorm.weight"]
        layer.ffn.linear_0.weight = value[f"{name}.mlp.gate_proj.weight"]
        layer.ffn.linear_0_noact.weight = value[f"{name}.mlp.up_proj.weight"]
        layer.ffn.linear_1.weight = value[f"{name}.mlp.down_proj.weight"]
    names = [str(token) for token in range(sizes["vocabulary"])]
    spec.register_vocabulary(names)
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = names[0]
    spec.config.layer_norm_epsilon = sizes["norm_epsilon"]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(folder)
    return ctranslate2


def ctranslate2(sizes, weights, prompts):
    """Its own loop, in C++; the prompt and one token are subtracted."""
    with tempfile.TemporaryDirectory() as folder:
        library = ctranslate2_model(sizes, weights, folder)
        generator = library.Generator(
            folder, device="cpu", compute_type="int8", inter_threads=1, intra_threads=sizes["threads"]
        )
    words = [[str(token) for token in prompt] for prompt in prompts]
    logits = numpy.array(generator.forward_batch(words))

    def seconds(tokens):
        started = time.perf_counter()
        results = generator.generate_batch(
            words,
            max_batch_size=0,
            beam_size=1,
            sampling_topk=1,
            min_length=tokens,
            max_length=tokens,
            include_prompt_in_result=False,
        )
        elapsed = time.perf_counter() - started
        assert all(len(result.sequences_ids[0]) == tokens for result in results)
        return elapsed

    def turn():
        return {"int8": seconds(1 + sizes["tokens"]) - seconds(1)}

    return f"CTranslate2 {library.__version__}", mean_loss(logits, prompts), turn


def gguf_model(sizes, weights, path):
    """Writes the weights as a GGUF file: matrices in Q8_0, queries and keys in llama.cpp's order of rotated pairs."""
    import gguf

    width, heads = sizes["width"], sizes["heads"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(sizes["positions"])
    writer.add_embedding_length(width)
    writer.add_block_count(sizes["layers"])
    writer.add_feed_forward_length(sizes["hidden"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_rope_freq_base(sizes["rotary_base"])
    writer.add_layer_norm_rms_eps(sizes["norm_epsilon"])
    writer.add_vocab_size(sizes["vocabulary"])
    writer.add_tokenizer_model("none")
    kind = gguf.GGMLQuantizationType.Q8_0
    places = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }

    def add(name, value):
        if value.ndim == 1:
            writer.add_tensor(name, value)
        else:
            writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)

    add("token_embd.weight", weights["model.embed_tokens.weight"].numpy())
    add("output_norm.weight", weights["model.norm.weight"].numpy())
    for n in range(sizes["layers"]):
        for theirs, ours in places.items():
            value = weights[f"model.layers.{n}.{theirs}.weight"].numpy()
            if ours in ("attn_q", "attn_k"):
                halves = value.reshape(heads, 2, width // heads // 2, width)
                value = halves.swapaxes(1, 2).reshape(width, width)
            add(f"blk.{n}.{ours}.weight", numpy.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama_cpp(sizes, weights, prompts):
    """The loop of its examples over `llama_decode`, with all sequences in one batch."""
    import llama_cpp as llama

    llama.llama_backend_init()
    sequences, read = prompts.shape
    vocabulary = sizes["vocabulary"]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.gguf")
        gguf_model(sizes, weights, path)
        settings = llama.llama_model_default_params()
        settings.use_mmap = False
        model = llama.llama_model_load_from_file(path.encode(), settings)
    assert model, "llama.cpp did not load the model"
    settings = llama.llama_context_default_params()
    settings.n_ctx = sequences * sizes["positions"]
    settings.n_batch = settings.n_ubatch = max(512, sequences * read)
    settings.n_seq_max = sequences
    settings.n_threads = settings.n_threads_batch = sizes["threads"]
    context = llama.llama_init_from_model(model, settings)
    assert context, "llama.cpp made no context"
    batch = llama.llama_batch_init(sequences * read, 0, 1)

    def decode(columns, start, wanted):
        """Reads columns [B, n] from position `start` on; logits [B · n, V] of all or, where not wanted, of the last."""
        count = columns.shape[1]
        batch.n_tokens = columns.size
        for sequence in range(sequences):
            for offset in range(count):
                place = sequence * count + offset
                batch.token[place] = int(columns[sequence, offset])
                batch.pos[place] = start + offset
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = sequence
                batch.logits[place] = wanted or offset == count - 1
        assert llama.llama_decode(context, batch) == 0
        rows = columns.size if wanted else sequences
        logits = llama.llama_get_logits(context)
        return numpy.ctypeslib.as_array(logits, shape=(rows, vocabulary))

    def turn():
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        tokens = decode(prompts, 0, False).argmax(-1)
        started = time.perf_counter()
        for position in range(read, read + sizes["tokens"]):
            tokens = decode(tokens[:, None], position, False).argmax(-1)
        return {"llama_decode": time.perf_counter() - started}

    loss = mean_loss(decode(prompts, 0, True).reshape(sequences, read, vocabulary), prompts)
    return f"llama.cpp Q8_0 (llama-cpp-python {llama.__version__})", loss, turn


def main():
    sizes = options()
    weights = tensors(sizes["weights"])
    prompts = weights.pop("prompts").numpy()
    peers = {"PyTorch f32": pytorch, "CTranslate2 int8": ctranslate2, "llama.cpp Q8_0": llama_cpp}
    name, check, turn = peers[sizes["peer"]](sizes, weights, prompts)
    turn()
    take_turns(name, check, turn)


main()
