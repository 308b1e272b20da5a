# tonicfs. `make` builds, `make check` proves, `make demo` shows, `make install` installs; `make help` lists the rest.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
BUILD   ?= build
SANITIZE ?=

packages := fuse3 libcurl libcrypto jansson expat sqlcipher libmicrohttpd
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wno-unused-parameter -Wwrite-strings -Wundef -Wformat=2 -Wvla $(if $(WERROR),-Werror)

CFLAGS  ?= -O2 -g
# A sanitized build has no hardening, which would hide errors.
ifneq ($(FUZZ),)
sanitize := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
else ifeq ($(SANITIZE),thread)
sanitize := -fsanitize=thread -fno-omit-frame-pointer
link_sanitize := -fsanitize=thread
else ifneq ($(SANITIZE),)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
link_sanitize := -fsanitize=address,undefined
endif
# strip: GNU make 4.3 leaves the last newline of a file there at times, and so makes two lines of the command.
hardening      = $(if $(sanitize),-fstack-protector-strong -fPIE $(sanitize),$(strip $(file <$(BUILD)/.hardening)))
link_hardening = $(if $(sanitize),-pie $(link_sanitize),$(strip $(file <$(BUILD)/.hardening-link)))

# Calls pkg-config only when a target needs it (not for deps, help, clean).
lazy_pkg = $(if $(pkg_cflags_done),,$(eval pkg_cflags_done := 1)$(eval pkg_cflags := $(shell pkg-config --cflags $(packages)))$(eval pkg_libs := $(shell pkg-config --libs $(packages))))
language   = $(lazy_pkg)-std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -DSQLITE_HAS_CODEC \
             -DTONICFS_VERSION='"$(VERSION)"' -Isrc -pthread $(pkg_cflags)
all_cflags = $(language) $(warnings) $(hardening) $(CFLAGS)
all_libs   = $(lazy_pkg)$(pkg_libs) -pthread -lm

sources   := $(sort $(wildcard src/*/*.c))
objects   := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(sources))
main_obj  := $(BUILD)/obj/cli/main.o
library   := $(BUILD)/libtonicfs.a
program   := $(BUILD)/tonicfs
unit_src  := $(sort $(wildcard tests/unit/test_*.c))
unit_help := $(patsubst tests/unit/%.c,$(BUILD)/obj/unit/%.o,$(filter-out $(unit_src),$(wildcard tests/unit/*.c)))
unit_bin  := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_src))

# Fuzzers are linked with the parsers and the rooms below them.
fuzz_build := build/fuzz
fuzz_src  := $(wildcard src/util/*.c src/net/*.c src/aws/*.c src/twilio/*.c) src/hook/form.c
fuzz_obj  := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(fuzz_src))
fuzz_bin  := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all help deps check check-deps check-debian check-minio check-aws format lint tidy unit units e2e fault soak fault-program fuzz fuzzers tsan sanitize clang-build bench demo demo-stop install uninstall clean FORCE
.DELETE_ON_ERROR:

all: $(program)

help:
	@echo 'make              build $(program);  WERROR=1: warnings are errors'
	@echo 'make deps         install what the build needs (Debian 12 and 13; elsewhere: list it)'
	@echo 'make check        install what is missing, build, run every test, also under ASan and UBSan'
	@echo 'make format       lay the C out by clang-format'
	@echo 'make lint         check layout, C, shell, Python, manual page and who includes whom;  T="rooms tidy": these checks'
	@echo 'make unit T=name  run one unit test program;  make units: all of them'
	@echo 'make e2e T=expr   run the end-to-end tests (pytest -k expr)'
	@echo 'make fault T=expr run the fault suite (pytest -k expr)'
	@echo 'make soak         thousands of random sequences of faults;  SEED=n COUNT=n: these'
	@echo 'make tsan         races between threads, by ThreadSanitizer'
	@echo 'make fuzz T=name SECS=60   fuzz one parser (tests/fuzz)'
	@echo 'make check-debian  build, unit tests and first steps on a fresh Debian 12 and 13, in chroots (as root)'
	@echo 'make check-minio  the end-to-end tests on MinIO;  make check-aws: those of AWS on LocalStack (T=expr)'
	@echo 'make bench        measure, as ratios against a limit from the same run'
	@echo 'make demo         the main job, step by step, on a real S3 server;  make demo-stop ends it'
	@echo 'make install      PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'

deps:
	scripts/install-deps.sh build

check-deps: $(BUILD)/.have-libraries

# A clear message if a library is missing or too old, or if plain SQLite is in the place of SQLCipher.
$(BUILD)/.have-libraries:
	@mkdir -p $(BUILD)
	@scripts/check-libraries.sh '$(CC)' $(packages)
	@touch $@

$(BUILD)/obj/%.o: src/%.c $(BUILD)/.have-libraries $(BUILD)/.hardening
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/obj/unit/%.o: tests/unit/%.c $(BUILD)/.have-libraries $(BUILD)/.hardening
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -Itests/unit -MMD -MP -c -o $@ $<

# Everything is compiled again when the compiler or its flags change, or when warnings become errors (not the other way).
flags := $(CC) $(CFLAGS) $(LDFLAGS) $(SANITIZE)$(FUZZ) $(VERSION)
$(BUILD)/.flags: FORCE
	@mkdir -p $(BUILD)
	@grep -qsxF $(if $(WERROR),,-e '$(flags)') -e '$(flags) WERROR' $@ || echo '$(flags)$(if $(WERROR), WERROR)' >$@

# The hardening flags that this compiler accepts.
$(BUILD)/.hardening: $(BUILD)/.flags scripts/hardening.sh
	@scripts/hardening.sh compile '$(CC)' $(CFLAGS) >$@
$(BUILD)/.hardening-link: $(BUILD)/.flags scripts/hardening.sh
	@scripts/hardening.sh link '$(CC)' $(CFLAGS) $(LDFLAGS) >$@

$(library): $(filter-out $(main_obj),$(objects))
	@rm -f $@
	ar rcs $@ $^

$(program): $(main_obj) $(library) $(BUILD)/.hardening-link
	$(CC) $(link_hardening) $(LDFLAGS) -o $@ $(main_obj) $(library) $(all_libs)

$(BUILD)/unit/%: $(BUILD)/obj/unit/%.o $(unit_help) $(library) $(BUILD)/.hardening-link
	@mkdir -p $(@D)
	$(CC) $(link_hardening) $(LDFLAGS) -o $@ $< $(unit_help) $(library) $(all_libs) -lcmocka

units: $(unit_bin)
	scripts/run-units.sh $(unit_bin)

unit: $(BUILD)/unit/$(T)
	$(BUILD)/unit/$(T)

# Python packages for the end-to-end tests, in a virtual environment. Wheels only: building a source package would install
# build tools that are not pinned by hash.
build/venv/.done: tests/requirements.txt
	python3 -m venv build/venv
	build/venv/bin/pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r tests/requirements.txt
	@touch $@

e2e: $(program) build/venv/.done
	TONICFS_BINARY=$(abspath $(program)) build/venv/bin/python -m pytest -q tests/e2e $(if $(T),-k '$(T)')

# Built by clang, which has libFuzzer, in a separate folder.
fuzzers:
	$(MAKE) CC=clang FUZZ=1 BUILD=$(fuzz_build) fuzz-programs

fuzz-programs: $(fuzz_bin)

$(BUILD)/obj/fuzz/%.o: tests/fuzz/%.c $(BUILD)/.have-libraries $(BUILD)/.hardening
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -Itests/fuzz -MMD -MP -c -o $@ $<

.PRECIOUS: $(BUILD)/obj/fuzz/%.o
$(BUILD)/fuzz_%: $(BUILD)/obj/fuzz/fuzz_%.o $(fuzz_obj)
	$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(all_libs)

fuzz: fuzzers
	scripts/fuzz.sh $(fuzz_build) '$(T)' '$(or $(SECS),60)'

# A separate program with fault points, at which the fault tests kill, stop or delay it.
fault-program:
	+$(MAKE) BUILD=$(BUILD)/fault CFLAGS='-O1 -g -DTONICFS_FAULTS' all

fault: fault-program build/venv/.done
	tests/fault/run.sh $(BUILD)/fault/tonicfs $(if $(T),-k '$(T)')

soak: fault-program build/venv/.done
	$(if $(SEED),FAULT_SEED=$(SEED)) FAULT_COUNT=$(or $(COUNT),3000) tests/fault/run.sh $(BUILD)/fault/tonicfs -k 'test_random or test_read_load'

# Races between threads: every unit test, reading while everything is migrated, readers that are killed.
tsan_make := $(MAKE) CC=gcc SANITIZE=thread BUILD=build/tsan CFLAGS='-O1 -g -DTONICFS_FAULTS'

tsan: build/venv/.done
	+$(tsan_make) all
	+UNIT_JOBS=3 TSAN_OPTIONS='suppressions=$(CURDIR)/tests/tsan.supp' $(tsan_make) units
	tests/fault/run.sh build/tsan/tonicfs -k '$(or $(T),test_read_load)'
	TONICFS_BINARY=$(CURDIR)/build/tsan/tonicfs build/venv/bin/python -m pytest -q tests/e2e -k test_read_killed

# The tools of lint, pinned because their findings depend on the version, in a virtual environment.
build/lint-venv/.done: tests/lint.txt
	python3 -m venv build/lint-venv
	build/lint-venv/bin/pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r tests/lint.txt
	@touch $@

format: build/lint-venv/.done
	build/lint-venv/bin/clang-format -i $(wildcard src/*/*.[ch] tests/*/*.[ch])

lint: build/lint-venv/.done
	scripts/lint.sh $(T)

# clang-tidy takes a second for each file: a stamp says that a file had no finding, and stands until the file or a header changes.
tidy: $(patsubst %.c,$(BUILD)/lint/%.tidy,$(wildcard src/*/*.c tests/*/*.c))

$(BUILD)/lint/%.tidy: %.c .clang-tidy tests/.clang-tidy build/lint-venv/.done $(BUILD)/.have-libraries
	@mkdir -p $(@D)
	@$(CC) $(language) -Itests/unit -MM -MP -MT $@ -MF $(@:.tidy=.d) $<
	@build/lint-venv/bin/clang-tidy --quiet $< -- $(language) -Itests/unit
	@touch $@

check:
	scripts/install-deps.sh build test server
	scripts/check.sh

check-debian:
	scripts/check-debian.sh $(RELEASE)

# The same tests on other S3 servers; if a server cannot be installed, the target says so and passes.
check-minio: $(program) build/venv/.done
	scripts/check-server.sh minio $(if $(T),-k '$(T)')

check-aws: $(program) build/venv/.done
	scripts/check-server.sh localstack $(if $(T),-k '$(T)')

bench: $(program) build/venv/.done
	scripts/install-deps.sh build test server bench
	tests/bench/run.sh

demo:
	scripts/install-deps.sh build demo
	$(MAKE) $(program) build/venv/.done
	scripts/demo.sh start

demo-stop:
	scripts/demo.sh stop

install: $(program)
	scripts/install.sh '$(program)' '$(DESTDIR)' '$(PREFIX)'

uninstall:
	scripts/install.sh --remove '$(DESTDIR)' '$(PREFIX)'

clean:
	rm -rf $(BUILD)/obj $(BUILD)/unit $(BUILD)/lint $(BUILD)/asan $(BUILD)/tsan $(BUILD)/clang $(BUILD)/fault $(fuzz_build) $(library) $(program) $(BUILD)/.flags $(BUILD)/.hardening* $(BUILD)/.have-libraries

FORCE:

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/lint/*/*/*.d)
