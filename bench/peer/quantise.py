"""Quantises a GGUF file with the llama.cpp of bench/peer/node_modules: IN OUT FILE_TYPE THREADS [IMATRIX].

Prints one line of JSON: seconds, peak_bytes. The library's own functions are called; only the first
fields of its parameters are known here, the rest stays as the library fills it in.
"""
import ctypes
import json
import resource
import sys
import time
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint8

import ggml

ROOM = 4096  # bytes; the structure has about a hundred


class Importance(ctypes.Structure):  # llama_model_imatrix_data
    _fields_ = [("name", c_char_p), ("values", POINTER(c_float)), ("count", c_size_t)]


class Parameters(ctypes.Structure):  # llama_model_quantize_params
    _fields_ = [("n_threads", c_int32), ("file_type", c_int32), ("output_type", c_int32),
                ("embedding_type", c_int32), ("allow_requantize", c_bool), ("switches", c_bool * 5),
                ("imatrix", POINTER(Importance)), ("rest", c_uint8 * ROOM)]


def listed(importances):
    """As llama.cpp wants them: the list ends with one that has no name."""
    out = (Importance * (len(importances) + 1))()
    for entry, (name, sets) in zip(out, importances.items()):
        values = [value for one in sets for value in one]
        entry.name = name.encode()
        entry.values, entry.count = (c_float * len(values))(*values), len(values)
    return out


def main():
    source, target, file_type, threads, *imatrix = sys.argv[1:]
    ggml.base()
    ggml.library("libggml.*so").ggml_backend_load_all_from_path(str(ggml.LIBRARIES).encode())
    llama = ggml.library("libllama.*so")
    llama.llama_model_quantize_default_params.restype = Parameters
    llama.llama_model_quantize.argtypes = [c_char_p, c_char_p, POINTER(Parameters)]
    parameters = llama.llama_model_quantize_default_params()
    parameters.n_threads, parameters.file_type = int(threads), int(file_type)
    parameters.allow_requantize = True
    if imatrix:
        parameters.imatrix = listed(ggml.importances(imatrix[0]))
    began = time.monotonic()
    if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) != 0:
        sys.exit("llama.cpp could not quantise it")
    print(json.dumps({"seconds": time.monotonic() - began, "peak_bytes":
                      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
