"""Reads a 64-bit little-endian ELF file: headers, dynamic section, symbols, notes."""

import struct
from types import SimpleNamespace

X86_64, AARCH64 = 62, 183
PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 4, 0x6474E551, 0x6474E552
SHT_SYMTAB, SHT_DYNSYM = 2, 11
DT_FLAGS, DT_FLAGS_1 = 30, 0x6FFFFFFB


class Elf:
    def __init__(self, path):
        self.data = path.read_bytes()
        assert self.data[:6] == b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF file"
        (self.type, self.machine, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, _) = struct.unpack_from(
            "<HHIQQQIHHHHHH", self.data, 16)
        self.segments = [SimpleNamespace(**dict(zip(
            ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align"),
            struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * phsize), strict=True))) for i in range(phnum)]
        self.sections = [SimpleNamespace(**dict(zip(
            ("name", "type", "flags", "addr", "offset", "size", "link", "info", "align", "entsize"),
            struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * shsize), strict=True))) for i in range(shnum)]

    def segment(self, kind):
        return next((segment for segment in self.segments if segment.type == kind), None)

    def dynamic(self):
        at = self.segment(PT_DYNAMIC)
        return dict(struct.iter_unpack("<qQ", self.data[at.offset:at.offset + at.filesz]))

    def symbols(self, kind):
        """{name: address}, without versions."""
        found = {}
        for section in (s for s in self.sections if s.type == kind):
            names = self.sections[section.link].offset
            for name, _, _, _, value, _ in struct.iter_unpack(
                    "<IBBHQQ", self.data[section.offset:section.offset + section.size]):
                end = self.data.index(b"\0", names + name)
                found[self.data[names + name:end].decode()] = value
        return found

    def code(self, address, size):
        for at in (s for s in self.segments if s.type == PT_LOAD):
            if at.vaddr <= address < at.vaddr + at.filesz:
                start = at.offset + address - at.vaddr
                return self.data[start:start + size]
        raise LookupError(hex(address))
