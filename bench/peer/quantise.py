"""Quantises a GGUF file with the llama.cpp of bench/peer/node_modules: IN OUT FILE_TYPE THREADS.

Prints one line of JSON: seconds, peak_bytes. The library's own functions are called; only the first
fields of its parameters (threads, file type, leave to quantise again) are known here, the rest stays
as the library fills it in.
"""
import ctypes
import json
import pathlib
import resource
import sys
import time

LIBRARIES = (pathlib.Path(__file__).resolve().parent / "node_modules" / "@node-llama-cpp" / "linux-x64"
             / "bins" / "linux-x64")
ROOM = 4096  # bytes; the structure has about a hundred
ALLOW_REQUANTIZE = 16


class Parameters(ctypes.Structure):
    _fields_ = [("n_threads", ctypes.c_int32), ("file_type", ctypes.c_int32),
                ("rest", ctypes.c_uint8 * ROOM)]


def library(pattern):
    return ctypes.CDLL(str(next(LIBRARIES.glob(pattern))), mode=ctypes.RTLD_GLOBAL)


def main():
    source, target, file_type, threads = sys.argv[1:]
    library("libggml-base*.so")
    ggml = library("libggml.*so")
    ggml.ggml_backend_load_all_from_path(str(LIBRARIES).encode())
    llama = library("libllama.*so")
    llama.llama_model_quantize_default_params.restype = Parameters
    llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p,
                                           ctypes.POINTER(Parameters)]
    parameters = llama.llama_model_quantize_default_params()
    parameters.n_threads, parameters.file_type = int(threads), int(file_type)
    parameters.rest[ALLOW_REQUANTIZE - Parameters.rest.offset] = 1
    began = time.monotonic()
    if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) != 0:
        sys.exit("llama.cpp could not quantise it")
    print(json.dumps({"seconds": time.monotonic() - began, "peak_bytes":
                      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
