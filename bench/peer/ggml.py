"""llama.cpp's libraries in bench/peer/node_modules, and what they read of GGUF files."""
import array
import ctypes
import functools
import mmap
import pathlib
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p

LIBRARIES = (pathlib.Path(__file__).resolve().parent / "node_modules" / "@node-llama-cpp" / "linux-x64"
             / "bins" / "linux-x64")


def library(pattern):
    return ctypes.CDLL(str(next(LIBRARIES.glob(pattern))), mode=ctypes.RTLD_GLOBAL)


class Reading(ctypes.Structure):  # gguf_init_params
    _fields_ = [("no_alloc", c_bool), ("context", c_void_p)]


ToFloat = ctypes.CFUNCTYPE(None, c_void_p, POINTER(c_float), c_int64)


class Traits(ctypes.Structure):  # ggml_type_traits, as far as it is of use here
    _fields_ = [("name", c_char_p), ("block", c_int64), ("interleaved", c_int64),
                ("block_bytes", c_size_t), ("is_quantised", c_bool), ("to_float", ToFloat)]


@functools.cache
def base():
    lib = library("libggml-base*.so")
    for name, result, arguments in (
            ("ggml_get_type_traits", POINTER(Traits), [c_int]),
            ("gguf_init_from_file", c_void_p, [c_char_p, Reading]),
            ("gguf_get_n_tensors", c_int64, [c_void_p]),
            ("gguf_get_data_offset", c_size_t, [c_void_p]),
            ("gguf_get_tensor_name", c_char_p, [c_void_p, c_int64]),
            ("gguf_get_tensor_type", c_int, [c_void_p, c_int64]),
            ("gguf_get_tensor_offset", c_size_t, [c_void_p, c_int64]),
            ("gguf_get_tensor_size", c_size_t, [c_void_p, c_int64])):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class Tensor:
    def __init__(self, traits, data):
        self.data = data
        self.type = traits.name.decode().upper()
        self.is_quantised = traits.is_quantised
        self._traits = traits

    def floats(self):
        if self.type == "F32":
            return array.array("f", self.data)
        n = len(self.data) // self._traits.block_bytes * self._traits.block
        out = array.array("f", bytes(4 * n))
        self._traits.to_float(self.data, (c_float * n).from_buffer(out), n)
        return out


def tensors(path):
    """Those of a GGUF file, by name."""
    lib = base()
    file = lib.gguf_init_from_file(str(path).encode(), Reading(True, None))
    if not file:
        raise ValueError(f"{path} is no GGUF file")
    out = {}
    with open(path, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for i in range(lib.gguf_get_n_tensors(file)):
            at = lib.gguf_get_data_offset(file) + lib.gguf_get_tensor_offset(file, i)
            traits = lib.ggml_get_type_traits(lib.gguf_get_tensor_type(file, i)).contents
            out[lib.gguf_get_tensor_name(file, i).decode()] = Tensor(
                traits, data[at:at + lib.gguf_get_tensor_size(file, i)])
    return out


def importances(path):
    """By matrix, what `heft imatrix` and llama.cpp keep in a GGUF file: for each column the mean
    square of what it is multiplied with; of stacked matrices one set after the other."""
    read = tensors(path)
    out = {}
    for name, tensor in read.items():
        of, suffix = name.rsplit(".", 1)
        if suffix != "in_sum2":
            continue
        sums, counts = tensor.floats(), read[of + ".counts"].floats()
        n = len(sums) // len(counts)
        out[of] = [array.array("f", (s / count if count > 0 else 1.0 for s in sums[k * n:(k + 1) * n]))
                   for k, count in enumerate(counts)]
    return out
