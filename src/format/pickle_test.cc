#include "format/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/test_archive.h"

namespace heft::format {
namespace {

using test::Pickle;
using ::testing::HasSubstr;

void expect_error(const std::string& pickle, Code code, const std::string& part) {
    const auto read = read_pickle(as_bytes(pickle));
    ASSERT_FALSE(read) << part;
    EXPECT_EQ(read.error().code, code) << read.error().what;
    EXPECT_THAT(read.error().what, HasSubstr(part));
}

TEST(Pickle, TensorsOfADictionary) {
    const std::string pickle = Pickle()
                                   .op('}')
                                   .op('(')
                                   .text("a")
                                   .tensor({"HalfStorage", "7", 12, 2, {2, 5}, {5, 1}})
                                   .text("note")
                                   .text("not a tensor")
                                   .integer(3)
                                   .integer(-1)
                                   .text("b")
                                   .tensor({"UntypedStorage", "8", 6, 0, {6}, {1}, "float8_e4m3fn"})
                                   .op('u')
                                   .stop();
    const auto read = read_pickle(as_bytes(pickle));
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_EQ(read->size(), 2U);
    const PickledTensor& a = (*read)[0];
    EXPECT_EQ(a.name, "a");
    EXPECT_EQ(a.storage.key, "7");
    EXPECT_EQ(a.storage.count, 12);
    EXPECT_EQ(a.type, DType::f16);
    EXPECT_EQ(a.offset, 2);
    EXPECT_EQ(a.shape, (Shape{2, 5}));
    EXPECT_EQ(a.strides, (Shape{5, 1}));
    EXPECT_EQ((*read)[1].type, DType::f8_e4m3);
    EXPECT_FALSE((*read)[1].storage.type);
}

TEST(Pickle, OrderedDictionariesParametersAndNesting) {
    const auto named = [](const char* key) {
        Pickle pickle;
        pickle.op('}').text(key).global("collections", "OrderedDict").op(')').op('R');
        pickle.text("w").global("torch._utils", "_rebuild_parameter").op('(');
        pickle.tensor({"FloatStorage", "0", 4, 0, {4}, {1}}).op('\x88');
        pickle.global("collections", "OrderedDict").op(')').op('R').op('t').op('R').op('s');
        pickle.op('}').text("_metadata").op('}').op('s').op('b');  // attributes
        return pickle.op('s').stop();
    };
    for (const char* key : {"state_dict", "model", "module", "model_state_dict"}) {
        const std::string pickle = named(key);
        const auto read = read_pickle(as_bytes(pickle));
        ASSERT_TRUE(read) << read.error().what;
        ASSERT_EQ(read->size(), 1U);
        EXPECT_EQ((*read)[0].name, "w");
    }
    expect_error(named("optimizer"), Code::unsupported, "without tensors");
}

struct Hostile {
    const char* module;
    const char* name;
};

// What __reduce__ methods of hostile objects name, in the old instruction and in the new one.
TEST(Pickle, GlobalsAreRefusedByName) {
    constexpr Hostile kHostile[] = {{"os", "system"},
                                    {"posix", "system"},
                                    {"builtins", "eval"},
                                    {"builtins", "exec"},
                                    {"subprocess", "Popen"},
                                    {"torch", "load"},
                                    {"torch.serialization", "load"},
                                    {"numpy.core.multiarray", "_reconstruct"},
                                    {"collections", "defaultdict"},
                                    {"torch._utils", "_rebuild_tensor_v2.__globals__"},
                                    {"torch", "FloatStorage.__init__"}};
    for (const auto& [module, name] : kHostile) {
        const std::string full = std::string(module) + "." + name;
        expect_error(Pickle().global(module, name).text("echo").op('\x85').op('R').stop(),
                     Code::unsupported, "names " + full + ", which");
        expect_error(Pickle(4).text(module).text(name).op('\x93').stop(), Code::unsupported,
                     "names " + full + ", which");
    }
    expect_error(Pickle().global("os\x01", "system").stop(), Code::corrupt, "control characters");
    expect_error(Pickle().global(std::string(1000, 'x'), "y").stop(), Code::unsupported, "limit");
    expect_error(Pickle().integer(1).integer(2).op('\x93').stop(), Code::corrupt, "no strings");
}

TEST(Pickle, InstructionsAreRefusedByName) {
    const std::pair<char, const char*> table[] = {
        {'i', "INST"},          {'o', "OBJ"},           {'\x81', "NEWOBJ"},
        {'\x92', "NEWOBJ_EX"},  {'\x82', "EXT1"},       {'P', "PERSID"},
        {'I', "INT"},           {'S', "STRING"},        {'\x8f', "EMPTY_SET"},
        {'\x96', "BYTEARRAY8"}, {'\x97', "NEXT_BUFFER"}};
    for (const auto& [code, name] : table)
        expect_error(Pickle().op(code).stop(), Code::unsupported,
                     std::string("instruction ") + name + ",");
    expect_error(Pickle().op('\xfe').stop(), Code::corrupt, "byte 254 at 2");
    expect_error(Pickle(1).stop(), Code::unsupported, "protocol 1");
    expect_error(Pickle(6).stop(), Code::unsupported, "protocol 6");
    expect_error(Pickle().global("torch", "FloatStorage").op(')').op('R').stop(), Code::unsupported,
                 "calls torch.FloatStorage");
    expect_error(Pickle().global("collections", "OrderedDict").op('}').op('\x85').op('R').stop(),
                 Code::unsupported, "with arguments");
    expect_error(Pickle().op(')').op('}').op('b').stop(), Code::unsupported, "attributes");
    expect_error(Pickle().op(')').stop(), Code::unsupported, "a tuple, where a dictionary");
}

TEST(Pickle, LimitsAreNamed) {
    // Nested lists, tuples and marks.
    expect_error(Pickle().raw(std::string(1000, ']')).raw(std::string(999, 'a')).stop(),
                 Code::unsupported, "nests containers too deep");
    expect_error(Pickle().op(')').raw(std::string(1000, '\x85')).stop(), Code::unsupported,
                 "nests containers too deep");
    expect_error(Pickle().raw(std::string(1000, '(')).stop(), Code::unsupported, "marks too deep");
    // A memo of four thousand million entries.
    expect_error(Pickle().op('N').raw("r\xff\xff\xff\xff").stop(), Code::unsupported,
                 "value 4294967295 in its memo");
    // Lengths beyond the file and beyond reason.
    expect_error(Pickle().raw("X\xff\xff\xff\xff").stop(), Code::unsupported,
                 "a string of 4294967295 bytes");
    expect_error(Pickle().raw("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f").stop(), Code::unsupported,
                 "a string of 9223372036854775807 bytes");
    expect_error(Pickle().raw(std::string("X\x10\0\0\0abc", 8)).stop(), Code::corrupt, "ends at");
    expect_error(Pickle(4).raw("\x95\xff\xff\xff\xff\xff\xff\xff\xff").stop(), Code::corrupt,
                 "a frame of 18446744073709551615 bytes");
    expect_error(Pickle().raw("\x8a\xff").raw(std::string(255, '\1')).stop(), Code::unsupported,
                 "an integer of 255 bytes");
    expect_error(Pickle().raw(std::string(1U << 21, 'N')).stop(), Code::unsupported,
                 "too many values");
    std::vector<std::int64_t> many(100, 1);
    expect_error(Pickle().tensor({"FloatStorage", "0", 4, 0, many, many}).stop(), Code::unsupported,
                 "100 dimensions");
}

// Lists that hold a list twice, twenty deep: a million leaves for whoever copies them.
TEST(Pickle, SharedValuesAreNotMultiplied) {
    Pickle pickle;
    pickle.op(']').raw(std::string("q\0", 2));
    for (int i = 0; i < 40; ++i)
        pickle.op(']')
            .raw(std::string("q\1", 2))
            .op('(')
            .raw(std::string("h\0h\0", 4))
            .op('e')
            .raw(std::string("q\0", 2));
    pickle.op('0').op('}').text("w").tensor({"FloatStorage", "0", 4, 0, {4}, {1}}).op('s');
    for (int i = 0; i < 40; ++i) pickle.op('0');
    expect_error(pickle.stop(), Code::unsupported, "a list, where a dictionary");
}

TEST(Pickle, ContradictionsAreCorrupt) {
    expect_error(Pickle().op('0').stop(), Code::corrupt, "where there is none");
    expect_error(Pickle().op('}').op('(').op('s').stop(), Code::corrupt, "where there is none");
    expect_error(Pickle().op('t').stop(), Code::corrupt, "has not begun");
    expect_error(Pickle().op('}').op('N').op('a').stop(), Code::corrupt, "adds to a dictionary");
    expect_error(Pickle().op('}').op('(').op('N').op('u').stop(), Code::corrupt, "without value");
    expect_error(Pickle().raw("h\x07").stop(), Code::corrupt, "value 7 of its memo");
    expect_error(Pickle().op('N').op('Q').stop(), Code::corrupt, "other than a storage");
    expect_error(Pickle().op('N').op(')').op('R').stop(), Code::corrupt, "calls None");
    expect_error(Pickle().tensor({"FloatStorage", "0", -4, 0, {4}, {1}}).stop(), Code::corrupt,
                 "other than a storage");
    expect_error(Pickle().tensor({"FloatStorage", "0", 4, -1, {4}, {1}}).stop(), Code::corrupt,
                 "an offset");
    expect_error(Pickle().tensor({"FloatStorage", "0", 4, 0, {4}, {-1}}).stop(), Code::corrupt,
                 "strides");
    expect_error(Pickle().tensor({"FloatStorage", "0", 4, 0, {4}, {1, 1}}).stop(), Code::corrupt,
                 "strides");
    expect_error(Pickle().tensor({"UntypedStorage", "0", 4, 0, {4}, {1}, "Size"}).stop(),
                 Code::corrupt, "without a type");
}

}  // namespace
}  // namespace heft::format
