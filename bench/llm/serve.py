"""Serves a checkpoint made on the spot, for `cargo run -p copywriter --example llm`.

The default checkpoint is a Llama whose embeddings are one-hot and whose attention adds nothing, so that each token is followed
by the one that its output row names: it answers every prompt with the pieces of ANSWER. `--random` gives it random output
rows instead, and so an answer that is noise. The server, its grammar for JSON schemas, its streams and its counts of tokens
are llama.cpp's own.

    python serve.py [--random] [--port 8080] [--seconds 300] [--file tiny.gguf]
"""

import argparse
import time

import gguf
import numpy as np
import xllamacpp

# Each piece is a token of its own, and no two are alike: a token has one successor. The fields stand in the order of the
# schema. The second text writes a price out, which has to be noticed.
ANSWER = [
    '{"variants":[{"body":"', "A calm start to the", " morning. Yours for", " {{ price", " }}.", '","title":"',
    "For you: {{ short", " }}", '"},{"body":"', "Only £12 today,", " and {{ material", "  }}!", '", "title":"',
    "A look at {{ short", "  }}", '"}]}',
]
WIDTH = 512
CONTEXT = 8192
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<answer>{% endif %}"
)


def vocabulary():
    """Special tokens, the 256 bytes, printable ASCII, then the answer."""
    kinds = gguf.TokenType
    tokens = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL), ("<answer>", kinds.CONTROL)]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    tokens += [(chr(code), kinds.NORMAL) for code in range(0x21, 0x7F)] + [("\u2581", kinds.NORMAL)]
    first_piece = len(tokens)
    tokens += [(piece.replace(" ", "\u2581"), kinds.NORMAL) for piece in ANSWER]
    assert len(tokens) <= WIDTH and len({text for text, _ in tokens}) == len(tokens)
    return tokens, first_piece


def weights(count, first_piece, is_random):
    """Names and tensors of one block."""
    rng = np.random.default_rng(1)
    embedding = np.eye(count, WIDTH, dtype=np.float32)
    if is_random:
        output = rng.normal(0, 0.1, (count, WIDTH)).astype(np.float32)
    else:
        output = np.zeros((count, WIDTH), dtype=np.float32)
        chain = [3, *range(first_piece, first_piece + len(ANSWER)), 2]
        for token, successor in zip(chain, chain[1:]):
            output[successor, token] = 2.0
    square, wide = np.zeros((WIDTH, WIDTH), np.float32), np.zeros((32, WIDTH), np.float32)
    one = np.ones(WIDTH, np.float32)
    yield from [("token_embd", embedding), ("output", output), ("output_norm", one)]
    yield from [("blk.0.attn_norm", one), ("blk.0.ffn_norm", one)]
    yield from [(f"blk.0.attn_{part}", square) for part in ("q", "k", "v", "output")]
    yield from [("blk.0.ffn_gate", wide), ("blk.0.ffn_up", wide), ("blk.0.ffn_down", wide.T.copy())]


def write(path, is_random):
    """Writes the checkpoint."""
    tokens, first_piece = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_rope_dimension_count(WIDTH // 4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([text for text, _ in tokens])
    # Pieces score below letters, so that a prompt is read letter by letter.
    writer.add_token_scores([0.0 if index < first_piece else -1e6 for index in range(len(tokens))])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in weights(len(tokens), first_piece, is_random):
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    """Writes the checkpoint and serves it for a while."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--file", default="tiny.gguf")
    arguments = parser.parse_args()
    write(arguments.file, arguments.random)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = arguments.file
    parameters.port = arguments.port
    parameters.n_ctx = CONTEXT
    parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    time.sleep(arguments.seconds)


main()
