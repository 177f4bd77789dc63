"""The emulated core: results against Python, costs against counts by hand."""

import pytest

from tinykit.engine.cortex import CoreFault, Cortex
from tinykit.engine.cycles import block_cost
from tinykit.engine.elf import read_elf
from tinykit.errors import ModelError
from tinykit.toolchain import arm_image

SOURCE = r"""
#include <stdint.h>
#define NAKED __attribute__((naked, used))

/* Each with instructions and cycles counted by hand in the test. */
NAKED void loop10(void)   { __asm__("movs r0, #0\n movs r1, #10\n"
                                    "1: adds r0, r0, r1\n subs r1, #1\n bne 1b\n bx lr"); }
NAKED void loads(void)    { __asm__("mov r1, sp\n ldr r2, [r1, #-4]\n"
                                    "ldr r3, [r1, #-8]\n ldr r0, [r1, #-12]\n bx lr"); }
NAKED void chained(void)  { __asm__("sub r1, sp, #16\n str r1, [r1]\n ldr r1, [r1]\n ldr r1, [r1]\n bx lr"); }
NAKED void divide(void)   { __asm__("udiv r0, r0, r1\n bx lr"); }
NAKED void stacked(void)  { __asm__("push {r4, r5, lr}\n pop {r4, r5, pc}"); }
NAKED void skipped(void)  { __asm__("movs r0, #1\n cmp r0, #2\n"
                                    "itt eq\n addeq r0, #7\n addeq r0, #7\n bx lr"); }
NAKED void floats(void)   { __asm__("vmul.f32 s0, s0, s1\n vdiv.f32 s0, s0, s1\n"
                                    "vmla.f32 s0, s1, s1\n bx lr"); }
NAKED void caller(void)   { __asm__("push {r3, lr}\n bl divide\n pop {r3, pc}"); }
NAKED void jump(void)     { __asm__("movs r0, #1\n tbb [pc, r0]\n .byte 1, 2\n nop\n bx lr"); }
NAKED void maybe(void)    { __asm__("cmp r0, #3\n it eq\n bxeq lr\n movs r0, #9\n bx lr"); }
NAKED void across(void)   { __asm__("movs r0, #1\n cmp r0, #2\n b.w 1f\n .balign 4096\n .skip 4094\n"
                                    "1: it eq\n addeq r0, #7\n bx lr"); }
NAKED void straight(void) { __asm__("movs r0, #0\n .rept 200\n adds r0, #1\n .endr\n bx lr"); }

uint32_t table[4] = {2, 3, 5, 7};
uint32_t room[4];
__attribute__((used)) int32_t dot(const int16_t *a, const int16_t *b, int32_t n) {
    int32_t s = 0;
    for (int32_t i = 0; i < n; i++) s += a[i] * b[i];
    return s;
}
__attribute__((used)) int32_t six(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f) {
    return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + (int32_t)(table[3] + room[0]);
}
__attribute__((used)) uint32_t dual(uint32_t x, uint32_t y, uint32_t z) {
    uint32_t r;
    __asm__("smlad %0, %1, %2, %3" : "=r"(r) : "r"(x), "r"(y), "r"(z));
    return r;
}
__attribute__((used)) double thirds(int32_t n) { volatile double d = n; d /= 3.0; return d; }
__attribute__((used)) void to_flash(void) { *(volatile uint32_t *)0x50000 = 1; }
__attribute__((used)) uint32_t from_nowhere(void) { return *(volatile uint32_t *)0x30000000; }
__attribute__((used)) void undefined(void) { __asm__("udf #0"); }
__attribute__((used)) void again(uint32_t n) { while (n--) __asm__ volatile(""); }
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    source = tmp_path_factory.mktemp("cortex") / "snippets.c"
    source.write_text(SOURCE, encoding="utf-8")
    return arm_image([source], name="snippets")


@pytest.fixture
def core(image):
    core = Cortex()
    core.load(image)
    return core


def count(core, function, *arguments):
    with core.counting() as cost:
        core.call(function, *arguments)
    return cost.instructions, cost.cycles


# instructions and cycles by hand, from the table in tinykit/engine/cycles.py
@pytest.mark.parametrize(
    ("function", "arguments", "instructions", "cycles"),
    [
        ("loop10", (), 2 + 10 * 3 + 1, 2 + 10 * 2 + 9 * 3 + 1 + 3),
        ("loads", (), 5, 1 + 2 + 1 + 1 + 3),  # later loads pair with the one before
        ("chained", (), 5, 1 + 1 + 2 + 2 + 3),  # the address comes from the load before: no pairing
        ("divide", (100, 7), 2, 7 + 3),
        ("stacked", (), 2, (1 + 3) + (1 + 3 + 2)),
        ("skipped", (), 6, 5 + 3),
        ("floats", (), 4, 1 + 14 + 3 + 3),
        ("caller", (100, 7), 5, (1 + 2) + 3 + (7 + 3) + (1 + 2 + 2)),
        ("jump", (), 3, 1 + 4 + 3),
        ("maybe", (3,), 3, 1 + 1 + 3),  # the branch inside IT is taken
        ("maybe", (4,), 5, 1 + 1 + 1 + 1 + 3),
    ],
)
def test_cost_by_hand(core, function, arguments, instructions, cycles):
    assert count(core, function, *arguments) == (instructions, cycles)
    # Counting is the same the second time, when the blocks are decoded and translated already.
    assert count(core, function, *arguments) == (instructions, cycles)


def test_it_reaches_into_a_page_whose_code_was_never_wanted_before(core):
    assert core.call("across") == 1


def test_results_are_those_of_python(core):
    import struct

    a, b = [3, -4, 32767, -32768, 9], [-7, 11, 2, 3, 30000]
    core.write(0x2003_0000, struct.pack("<5h", *a))
    core.write(0x2003_0100, struct.pack("<5h", *b))
    expected = sum(x * y for x, y in zip(a, b, strict=True))
    assert core.call("dot", 0x2003_0000, 0x2003_0100, 5) == expected & 0xFFFFFFFF
    # SMLAD: two 16-bit products and a sum in one instruction
    assert core.call("dual", 0xFFFE_0003, 0x0005_0007, 100) == (-2 * 5 + 3 * 7 + 100)
    # initialised data, cleared data, arguments on the stack
    assert core.call("six", 1, 2, 3, 4, 5, 6) == 654321 + 7
    core.write(core.symbol("room"), struct.pack("<I", 1000))
    assert core.call("six", 1, 2, 3, 4, 5, 6) == 654321 + 7 + 1000


def test_double_arithmetic_comes_from_the_runtime_library(core):
    import struct

    core.call("thirds", 7)
    # The hard-float calling convention returns a double in d0.
    assert core.uc.reg_read(core._arm.UC_ARM_REG_D0) == struct.unpack("<Q", struct.pack("<d", 7 / 3))[0]


def test_profile_adds_up(core):
    with core.counting() as cost:
        core.call("caller", 100, 7)
        core.call("loop10")
    profile = core.by_function()
    assert {"caller", "divide", "loop10"} == set(profile)
    assert sum(c.instructions for c in profile.values()) == cost.instructions
    assert sum(c.cycles for c in profile.values()) == cost.cycles
    assert (profile["divide"].instructions, profile["divide"].cycles) == (2, 10)
    core.clear_profile()
    assert core.by_function() == {}


@pytest.mark.parametrize("n", [0, 1, 2, 17, 100, 200, 201])
def test_limit_stops_after_exactly_n_instructions(core, n):
    core.limit(n)
    core.call("straight")
    assert core.limit_reached and core.stepped == n
    # movs, then one addition an instruction: r0 counts them
    assert core.uc.reg_read(core._arm.UC_ARM_REG_R0) == max(0, n - 1)
    core.limit(None)
    assert core.call("straight") == 200


def test_limit_that_is_not_reached(core):
    core.limit(202)
    assert core.call("straight") == 200
    assert core.stepped == 202
    core.limit(203)
    core.call("straight")
    assert not core.limit_reached


def test_limit_leaves_counting_as_it_is(core):
    core.limit(10**9)
    assert count(core, "loop10") == (33, 53)
    core.limit(None)
    assert count(core, "loop10") == (33, 53)


@pytest.mark.parametrize(
    ("function", "what"),
    [("to_flash", "WRITE"), ("from_nowhere", "READ"), ("undefined", "")],
)
def test_faults_are_named_with_the_place(core, function, what):
    with pytest.raises(CoreFault, match=rf"{function}.*{what}"):
        core.call(function)
    assert core.call("straight") == 200  # and the core can go on


def test_addresses_outside_memory_are_refused(core):
    for address in (-1, 0xFFFFF, 0x1FFF_FFFF, 0x2003_FFFD, 0x4000_0000):
        with pytest.raises(CoreFault, match="neither in flash"):
            core.read(address, 4)
    with pytest.raises(CoreFault, match="no symbol nonsense"):
        core.call("nonsense")


def test_registers_are_served_by_python_and_errors_come_out(tmp_path):
    source = tmp_path / "io.c"
    source.write_text(
        "#include <stdint.h>\n__attribute__((used)) uint32_t io(uint32_t x) {"
        "volatile uint32_t *r = (uint32_t *)0x40000000; r[2] = x; return r[1] + 1; }",
        encoding="utf-8",
    )
    seen = []

    def read(offset):
        if offset != 4:
            raise KeyError(offset)
        return 41

    core = Cortex((0x4000_0000, read, lambda offset, value: seen.append((offset, value))))
    core.load(arm_image([source], name="io"))
    assert core.call("io", 7) == 42
    assert seen == [(8, 7)]
    broken = Cortex((0x4000_0000, lambda offset: 1 / 0, lambda offset, value: None))
    broken.load(arm_image([source], name="io"))
    with pytest.raises(ZeroDivisionError):
        broken.call("io", 7)


def test_two_cores_do_not_share_anything(image):
    one, two = Cortex(), Cortex()
    one.load(image)
    two.load(image)
    one.write(one.symbol("room"), b"\1\0\0\0")
    assert two.call("six", 0, 0, 0, 0, 0, 0) == 7
    assert one.call("six", 0, 0, 0, 0, 0, 0) == 8
    assert count(one, "loop10") == count(two, "loop10")


def test_block_cost_refuses_what_is_no_code():
    with pytest.raises(ModelError, match="0x12"):
        block_cost(bytes.fromhex("00bf00ffffff"), 0x10)


def test_elf_refuses_other_files(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("not an image", encoding="utf-8")
    with pytest.raises(ModelError, match="not a 32-bit Arm ELF"):
        read_elf(other)


def begin(core, function, *arguments):
    """As ``call``, but it may stop before its end."""
    core.call(function, *arguments)


def returned(core):
    return core._get(core._arm.UC_ARM_REG_PC) == 0xFFF00


def test_an_alarm_stops_before_a_block_and_nothing_is_counted_twice(core):
    whole = count(core, "again", 300)
    with core.counting() as cost:
        core.alarm(core.cycles + 200)
        begin(core, "again", 300)
        stops = 0
        while not returned(core):
            assert core.cycles - 200 >= 0
            stops += 1
            core.alarm(core.cycles + 200)
            core.run()
        core.alarm(None)
    assert stops >= 3
    assert (cost.instructions, cost.cycles) == whole


def test_an_interrupt_comes_in_between_and_leaves_no_trace(core):
    a = [3, -7, 20000, 5, 1, 30000, -2, 9] * 16
    core.write(0x2000_2000, b"".join(x.to_bytes(2, "little", signed=True) for x in a))
    expected = sum(x * x for x in a) & 0xFFFFFFFF
    arguments = (0x2000_2000, 0x2000_2000, len(a))
    plain, own = count(core, "dot", *arguments), count(core, "six", 1, 2, 3, 4, 5, 6)
    assert core.call("dot", *arguments) == expected
    for after in range(0, plain[1], max(1, plain[1] // 25)):
        with core.counting() as cost:
            core.alarm(core.cycles + after)
            begin(core, "dot", *arguments)
            if returned(core):  # the last block had begun
                continue
            core.alarm(None)
            assert core.can_be_interrupted and not core.resume()
            core.interrupt(core.symbol("six"))
            assert core.interrupted
            core.run()
            assert core.resume() and not core.interrupted
            core.run()
        assert core.uc.reg_read(core._arm.UC_ARM_REG_R0) == expected
        assert returned(core)
        # What `six` costs, 24 cycles for the way in and out, and nothing else.
        assert (cost.instructions, cost.cycles) == (plain[0] + own[0], plain[1] + own[1] + 24)


def test_code_in_ram_is_not_run(core):
    core.write(0x2000_3000, b"\x70\x47\x70\x47")
    with pytest.raises(CoreFault):
        core.call(0x2000_3000)
