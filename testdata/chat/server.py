"""Serve a tiny language model of random weights over the OpenAI chat protocol.

    pip install xllamacpp gguf
    python testdata/chat/server.py --port 8080
    AGON_TEST_CHAT_URL=http://127.0.0.1:8080/v1 go test ./agents/chat -run Endpoint -v

The server is llama.cpp's. The model is a llama of two layers over single bytes,
drawn from a seed and written to a temporary file: it babbles, so it tests the
protocol and what becomes of answers without an action, not play.
"""

import argparse
import signal
import tempfile
from pathlib import Path

import gguf
import numpy as np
import xllamacpp

WIDTH, HEADS, LAYERS, HIDDEN = 64, 2, 2, 128
CONTEXT, SLOTS = 8192, 4  # bytes in a conversation, conversations at once
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "


def byte_tokens():
    """The 256 bytes as byte-level BPE writes them: printable ones as they are, the others moved up."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) if b in printable else chr(256 + rest.index(b)) for b in range(256)]


def write_vocabulary(w):
    tokens = [*byte_tokens(), "<|end|>"]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("default")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL])
    w.add_token_merges(["! !"])
    w.add_bos_token_id(256)
    w.add_eos_token_id(256)
    w.add_add_bos_token(False)
    w.add_chat_template(TEMPLATE)
    return len(tokens)


def write_weights(w, vocabulary, rng):
    def draw(name, *shape):
        w.add_tensor(name, (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32))

    def ones(name):
        w.add_tensor(name, np.ones(WIDTH, np.float32))

    draw("token_embd.weight", vocabulary, WIDTH)
    draw("output.weight", vocabulary, WIDTH)
    ones("output_norm.weight")
    for i in range(LAYERS):
        ones(f"blk.{i}.attn_norm.weight")
        ones(f"blk.{i}.ffn_norm.weight")
        for part in ("q", "k", "v", "output"):
            draw(f"blk.{i}.attn_{part}.weight", WIDTH, WIDTH)
        draw(f"blk.{i}.ffn_gate.weight", HIDDEN, WIDTH)
        draw(f"blk.{i}.ffn_up.weight", HIDDEN, WIDTH)
        draw(f"blk.{i}.ffn_down.weight", WIDTH, HIDDEN)


def write_model(path, seed):
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(HIDDEN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(WIDTH // HEADS)
    write_weights(w, write_vocabulary(w), np.random.default_rng(seed))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def serve(path, options):
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = ["random"]
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_ctx = CONTEXT * SLOTS
    params.n_parallel = SLOTS
    params.n_predict = 64
    params.cpuparams.n_threads = 1
    if options.key:
        params.api_keys = [options.key]
    server = xllamacpp.Server(params)
    print(f"{server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--key", default="", help="the key that calls must carry; none by default")
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.gguf"
        write_model(path, options.seed)
        serve(path, options)


if __name__ == "__main__":
    main()
