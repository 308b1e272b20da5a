"""The built program against memory errors: the hardening flags of the Makefile, as its ELF file shows them."""

import pytest

from elf import AARCH64, DT_FLAGS, DT_FLAGS_1, PT_GNU_RELRO, PT_GNU_STACK, SHT_DYNSYM, SHT_SYMTAB, X86_64, Elf
from harness import BINARY, SANITIZED

DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 0x8, 0x1, 0x08000000
ET_DYN, PF_X = 3, 1
LANDING = {X86_64: (b"\xf3\x0f\x1e\xfa",),  # ENDBR64
           AARCH64: (b"\x3f\x23\x03\xd5", b"\x5f\x24\x03\xd5")}  # PACIASP, BTI c


@pytest.fixture(scope="module")
def program():
    if SANITIZED:
        pytest.skip("a program with sanitizers is built without")
    return Elf(BINARY)


def test_addresses_are_random_and_the_stack_holds_no_code(program):
    assert program.type == ET_DYN and program.dynamic()[DT_FLAGS_1] & DF_1_PIE
    assert not program.segment(PT_GNU_STACK).flags & PF_X


def test_tables_of_functions_are_read_only_once_it_runs(program):
    dynamic = program.dynamic()
    assert program.segment(PT_GNU_RELRO)
    assert dynamic.get(DT_FLAGS, 0) & DF_BIND_NOW and dynamic[DT_FLAGS_1] & DF_1_NOW


def test_calls_that_write_into_buffers_are_checked(program):
    assert {"__stack_chk_fail", "__memcpy_chk", "__snprintf_chk", "__vsnprintf_chk"} <= set(program.symbols(SHT_DYNSYM))


def test_functions_begin_where_a_branch_may_land(program):
    """Of a function: the note would need a C library built so, which Debian's is not."""
    assert program.code(program.symbols(SHT_SYMTAB)["main"], 4) in LANDING[program.machine]


def test_variables_begin_as_zero_and_the_stack_is_probed(program):
    """Nothing but the compiler's own line in the debug information shows these."""
    if b"GNU C17" not in program.data:
        pytest.skip("built without debug information, or not by gcc")
    for flag in (b"-ftrivial-auto-var-init=zero", b"-fstack-clash-protection"):
        assert flag in program.data
