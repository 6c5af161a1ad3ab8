# embark
#
#   make                    build/embark: static, for Linux; libpq and OpenSSL are compiled first, once, into a cache
#   make TLS=no             the same without OpenSSL
#   make ARCH=aarch64       build/aarch64/embark, by a cross compiler
#   make install            PREFIX=/usr/local DESTDIR=
#   make test               set-up, build, unit tests, whole-program tests
#   make unit, make pytest  one half of it (make pytest ARGS='-k wait')
#   make check              format, analysers, layers, sizes, both kinds of tests under sanitizers, valgrind;
#                           check-format, check-tidy, … alone; make format does what check-format asks for
#   make asan               build/asan/embark: glibc, AddressSanitizer and UBSan
#   make test-swarm         300 replicas at once, and rounds of killing (ARGS='rounds --rounds=200')
#   make test-faults        every system call of a start fails once (ARGS='--share=1/20 check wait')
#   make test-trees         SQL migrations in all tools' layouts, killed at random moments (ARGS='--trees=200 --seed=1')
#   make test-model         random histories of real migration tools (ARGS='--histories=1000 --tool=alembic')
#   make bench-docker       what embark adds to docker run
#   make test-docker        in real containers, by an engine that is there or (root) is started for it
#   make test-arm64         unit tests and a choice of the others, emulated (ARGS=short)
#   make image              a container image of embark alone, for COPY --from (IMAGE=embark ENGINE=podman)
#   make release            dist/: archives, packages and a container image for amd64 and arm64, a bill of materials
#   make test-release       what is in there, built twice
#   make fuzz               the parsers' fuzzers, FUZZ_SECONDS=30 each
#   make test-kubernetes    doc/kubernetes.md's manifests, played by podman (root)
#   make test-fresh         make demo and make test in a Debian that has nothing else (root); IN=container, IN=trixie
#   make demo, make bench   eight replicas of a real service; embark beside other waiters
#   make pictures           records a start of eight replicas, and draws README's and doc/'s pictures anew;
#                           make check-pictures opens them in a browser, and measures them
#   make clean              the cache stays; it is told of in .ci/deps
#   make V=1 …              shows the compilers' command lines
#
# A source file in one of the rooms' folders is picked up as it is. `#include "version.h"` and, for a file such as
# src/stages/require/probe.py, `#include "stages/require/probe.py.h"` are generated (below).

VERSION := 0.2.0
TLS     ?= yes
PREFIX  ?= /usr/local
CFLAGS  ?= -Os
PYTHON  := /usr/bin/python3

Q       := $(if $(V),,@)
MAKEFLAGS += --no-builtin-rules $(if $(filter 0,$(MAKELEVEL)),-j$(shell nproc))
.DELETE_ON_ERROR:
.SUFFIXES:

# The processor that embark is built for: the machine's own, or ARCH. What is built for another one lies in a folder of its own,
# and is what a cross compiler makes: embark, unit tests to be emulated, a release.
machine := $(shell uname -m)
ARCH    ?= $(machine)
foreign := $(filter-out $(machine),$(ARCH))
o       := build$(if $(foreign),/$(ARCH))
ifneq ($(and $(foreign),$(filter-out all install image unit-static check-sizes clean $o/%,$(MAKECMDGOALS))),)
$(error ARCH=$(ARCH) is for: make [all], install, image, unit-static, check-sizes)
endif

all: $o/embark

# ---- The libraries. deps.mk says where they are; making it builds them if need be. -------------------------------

ifneq ($(filter-out clean test-fresh release test-arm64,$(or $(MAKECMDGOALS),all)),)
include $o/deps.mk
endif
$o/deps.mk: FORCE
	@.ci/packages ensure build $(if $(foreign),cross)
	@.ci/deps $@

# ---- Rooms ----------------------------------------------------------------------------------------------------------

# A room is a folder of sources in a layer's folder; "." is the layer's folder itself. A file includes headers of its own
# room, of the rooms that stand before it, and of the layers below; .ci/layers checks that. This is also the order in which
# the program is linked, but that rooms with a ~ come last, in each part of the program: an ordinary start doesn't use them.
# The kernel maps 64 KiB around each page that is touched, and so would map all of them.
layers    := core init os db overrides stages start commands
core      := base linux redact postgres url config net executable~ languages/reply~ languages/python~ languages/node~ languages/php~ languages~ \
               languages/java~ languages/ruby~ migrations tools migrations/pending~ sql~ sql/lint~ sql/tree~ bundle~ report~ \
               help~
init      := .
os        := loop files log exec process machine net
db        := .
overrides := .
stages    := wait lock service sql~ require/interpreter~ require/started~ require/java~ require/node~ require/php~ require/python~ require/ruby~ \
               require migrate/files migrate/ledger migrate/sessions migrate bootstrap~ bundle~ health doctor~
start     := .
commands  := . doctor~
rooms     := $(foreach l,$(layers),$(patsubst %/.,%,$(addprefix $l/,$($l))))

# ---- Sources ---------------------------------------------------------------------------------------------------------

sources   := $(foreach r,$(filter-out %~,$(rooms)),$(sort $(wildcard src/$r/*.c))) src/main.c \
             $(foreach r,$(patsubst %~,%,$(filter %~,$(rooms))),$(sort $(wildcard src/$r/*.c)))
headers   := $(shell find include/embark src -name '*.h')
embedded  := $(shell find src -name '*.py' -o -name '*.js' -o -name '*.rb' -o -name '*.php')
generated := $o/gen/version.h $(embedded:src/%=$o/gen/%.h)

unit_sources := $(shell find test/unit -name 'test_*.c' | sort)

# ---- Flavours: each has a folder of objects. tls and notls are embark (musl); asan and plain (glibc) are for tests. --

# inih is compiled with embark, as its limits are set then: a line may have 1 MiB, in memory that grows. (Its array on the stack
# has no elements then, which gcc allows.)
inih         := -DINI_HANDLER_LINENO=1 -DINI_USE_STACK=0 -DINI_ALLOW_REALLOC=1 -DINI_MAX_LINE=1048579

flavour      := $(if $(filter no,$(TLS)),notls,tls)
libpq        := $(shell sed -n 's/^postgresql-\([0-9]*\) .*/\1/p' $(DEPS)/versions 2>/dev/null)
cppflags     := -D_GNU_SOURCE -Iinclude -I$o/gen -isystem $(DEPS)/src/inih $(inih) -DEMBARK_LIBPQ=$(libpq)
warnings     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
hardening    := -fPIE -fstack-protector-strong
# Strings are not merged: in one pot with those of OpenSSL, ours would touch all of its pages.
sections     := -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-merge-constants
asan         := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
fuzzed       := -fno-sanitize-recover=all -fsanitize=address,undefined

$o/tls/%: compiler := $(DEPS)/bin/musl-cc
$o/tls/%: flags := $(CFLAGS) $(hardening) $(sections) -DEMBARK_TLS=1 -isystem $(DEPS)/include
$o/notls/%: compiler := $(DEPS)/bin/musl-cc
$o/notls/%: flags := $(CFLAGS) $(hardening) $(sections) -DEMBARK_TLS=0 -isystem $(DEPS)/include
# At -O1 gcc is often wrong about what may be uninitialized; embark itself is compiled with that warning.
# The tests are also compiled against cmocka 1, which has no other names for what version 2 deprecates.
$o/tls/test/%: flags += -isystem $(DEPS)/unit -Wno-deprecated-declarations
$o/asan/%: compiler := gcc
$o/asan/%: flags := -O1 -g -Wno-maybe-uninitialized $(asan) -DEMBARK_TLS=1 -isystem $(DEPS)/glibc/include
$o/plain/%: compiler := gcc
$o/plain/%: flags := -O1 -g -Wno-maybe-uninitialized -DEMBARK_TLS=1 -isystem $(DEPS)/glibc/include

# Rooms that an ordinary start doesn't use have theirs merged: nobody looks at those pages, and each text is there once.
cold         := $(patsubst %~,%,$(filter %~,$(rooms)))
$(foreach r,$(cold),$o/tls/src/$r/%.o $o/notls/src/$r/%.o): flags += -fmerge-constants

compile = $(if $(V),,@echo '  $@' && )$(compiler) -std=gnu11 $(warnings) $(cppflags) $(flags) -MMD -MP -c -o $@ $<

define flavour_rules
$o/$1/src/%.o: src/%.c $o/flags | $(generated)
	@mkdir -p $$(@D)
	$$(compile)
$o/$1/test/%.o: test/%.c $o/flags | $(generated)
	@mkdir -p $$(@D)
	$$(compile) -Isrc
$o/$1/inih.o: $(DEPS)/src/inih/ini.c $o/flags
	@mkdir -p $$(@D)
	$(Q)$$(compiler) -w -std=gnu11 $(cppflags) $$(flags) $(if $(filter asan,$1),-fno-sanitize=vla-bound) -c -o $$@ $$<
$o/$1/core.a: $(patsubst %.c,$o/$1/%.o,$(filter src/core/%,$(sources)))
$o/$1/os.a: $(patsubst %.c,$o/$1/%.o,$(filter src/os/%,$(sources)))
objects_$1 := $(patsubst %.c,$o/$1/%.o,$(filter-out src/core/% src/os/% src/init/%,$(sources)))
$o/$1/init.o: $(patsubst %.c,$o/$1/%.o,$(filter src/init/%,$(sources)))
-include $(patsubst %.c,$o/$1/%.d,$(sources) $(unit_sources))
endef
$(foreach f,tls notls asan plain fuzz,$(eval $(call flavour_rules,$f)))

# The glibc flavours have a libpq of the same version, and the machine's OpenSSL.
glibc_libpq := -L$(DEPS)/glibc/lib -lpq -lpgcommon -lpgport -lssl -lcrypto -lm
with_libpq  := $(patsubst %.c,%.o,$(filter-out src/core/% src/os/%,$(sources)) $(wildcard test/unit/db/*.c))
$(addprefix $o/asan/,$(with_libpq)) $(addprefix $o/plain/,$(with_libpq)) check-tidy check-analyzer: | $(DEPS)/glibc
$(DEPS)/glibc:
	@.ci/deps glibc >/dev/null
$(unit_sources:%.c=$o/tls/%.o): | $(DEPS)/unit
$(DEPS)/unit:
	@.ci/deps unit >/dev/null

# Archived: core, so that what links core alone finds a call into another layer; os, for its unit tests. By q, as r would take
# a second file of one name for a newer one.
$o/%.a:
	$(Q)rm -f $@
	$(Q)ar qcs $@ $^

# The init (include/embark/init/init.h): one object with one section, which needs nothing of the rest of the program. Nor may the
# compiler make it need something: canaries are in a thread's memory, loops may become calls of memset, switches tables of addresses.
$o/tls/src/init/%.o $o/notls/src/init/%.o: flags += -ffreestanding -fno-stack-protector -fno-jump-tables \
  -fno-tree-loop-distribute-patterns -fno-function-sections -fno-data-sections
$o/tls/init.o $o/notls/init.o: $o/%/init.o: src/init/init.ld
	$(Q)$(CROSS)ld -r -o $@ -T $^
	@! nm -u $@ | grep -v ' __\(start\|stop\)_em_init$$' >&2 || { echo '$@: src/init needs these of others' >&2; exit 1; }

# Everything is compiled anew if flags change, given on the command line or in here, or the libraries do.
$o/flags: Makefile FORCE
	@{ echo '$(CFLAGS) $(LDFLAGS) $(DEPS)'; cksum Makefile; cat $(DEPS)/versions; } | cmp -s - $@ || \
	 { echo '$(CFLAGS) $(LDFLAGS) $(DEPS)'; cksum Makefile; cat $(DEPS)/versions; } > $@

# ---- The program ------------------------------------------------------------------------------------------------------

# Relocations take a tenth of their room if the linker can pack them: for aarch64 binutils can since 2.43.
packed   = $(if $(findstring ignored,$(shell $(CROSS)ld -z pack-relative-relocs --version 2>&1)),,-z,pack-relative-relocs,)
# A static PIE. Its start files are named here, as the compiler may be told that all programs are PIEs: Scrt1.o is the one for these
# that leaves the relocation to somebody else, src/overrides/libc_start_main.c. -z text refuses relocations of the code.
musl     = $(DEPS)/musl/lib
first    = $(musl)/Scrt1.o $(musl)/crti.o $(shell $(CROSS)gcc -print-file-name=crtbeginS.o)
last     = $(shell $(CROSS)gcc -print-file-name=crtendS.o) $(musl)/crtn.o
hardened = -nostartfiles -Wl,-static,-pie,--no-dynamic-linker,-z,text -Wl,-z,relro,-z,now,-z,noexecstack \
           -Wl,-T,src/overrides/late.ld -Wl,$(packed)--wrap=__libc_start_main,--wrap=scram_SaltedPassword,--wrap=free,--wrap=realloc,--wrap=recv,--wrap=send,--wrap=poll,--wrap=__get_resolv_conf,--wrap=__res_msend_rc
libs     = -lpq -lpgcommon -lpgport $(if $(filter $o/tls/%,$@),-lssl -lcrypto) -lmd -ljansson

# The libraries' strings are not merged with OpenSSL's either: each would lie on a page of its own. OpenSSL's assembler, and gcc for
# aarch64, bring tables for unwinding, which nobody reads.
unwinding := -R .eh_frame -R .rela.eh_frame
$o/%/libs/done: $o/flags
	@rm -rf $(@D) && mkdir -p $(@D)
	$(Q)for a in $(DEPS)/lib/$*/libpq.a $(DEPS)/lib/libpgcommon.a $(DEPS)/lib/libpgport.a \
	  $(DEPS)/lib/libmd.a $(musl)/libc.a; do \
	  $(CROSS)objcopy $(unwinding) --set-section-flags '.rodata*str1.*=alloc,readonly,data' $$a $(@D)/$${a##*/} || exit; done
	$(Q)for a in $(if $(filter tls,$*),$(DEPS)/lib/libcrypto.a $(DEPS)/lib/libssl.a); do \
	  $(CROSS)objcopy $(unwinding) $$a $(@D)/$${a##*/} || exit; done
	@touch $@

# What is called of OpenSSL from outside of it: each through a gate (src/overrides/gate.S), but what each start may call, and what uses
# no table: a hash, and the name of a folder.
$o/tls/gates: $o/%/gates: $o/%/core.a $o/%/os.a $o/%/libs/done
	$(Q)$(CROSS)nm -g --defined-only $(@D)/libs/libssl.a $(@D)/libs/libcrypto.a | sed -n 's/.* T //p' | sort -u > $@.theirs
	$(Q)$(CROSS)nm -u $(filter %.o %.a,$^) $(DEPS)/lib/libp*.a $(DEPS)/lib/$*/libpq.a $(DEPS)/lib/libmd.a $(DEPS)/lib/libjansson.a | \
	  sed -n 's/^ *U //p' | sort -u | comm -12 - $@.theirs | grep -v '^SHA256_\|^X509_get_default_cert_area$$' > $@
$o/tls/gates: $(objects_tls)
$o/tls/gate.o: src/overrides/gate.S $o/tls/gates
	$(Q)sed 's/.*/GATE(&)/' $o/tls/gates > $o/tls/gates.h
	$(Q)$(compiler) -c -o $@ -I$o/tls $<
$o/tls/embark: $o/tls/gate.o

$o/tls/embark $o/notls/embark: $o/%/embark: $o/%/init.o $o/%/core.a $o/%/os.a $o/%/inih.o $o/%/libs/done
	@echo '  $@'
	$(Q)$(compiler) $(hardened) -Wl,--gc-sections -s $(LDFLAGS) -o $@ $(first) $(filter %.o,$^) \
	  $(if $(filter $o/tls/%,$@),$$(sed 's/^/-Wl,--wrap=/' $o/tls/gates)) $(filter %os.a,$^) $(filter %core.a,$^) -L$(@D)/libs -L$(DEPS)/lib $(libs) $(last)
$o/tls/embark: $(objects_tls)
$o/notls/embark: $(objects_notls)

$o/embark: $o/$(flavour)/embark FORCE
	@cmp -s $< $@ || cp -f $< $@

$o/asan/embark: $(objects_asan) $(patsubst %.c,$o/asan/%.o,$(filter src/init/%,$(sources))) $o/asan/os.a $o/asan/core.a $o/asan/inih.o
	@echo '  $@'
	$(Q)gcc $(asan) -o $@ $^ $(glibc_libpq) -lmd -ljansson

# What a generated header holds is made by awk and od, as a build machine need not have more.
$o/gen/version.h: Makefile $o/flags
	@mkdir -p $(@D)
	@echo '#define EMBARK_VERSION "$(VERSION)"' > $@
	@echo "#define EMBARK_LIBRARIES \"$$(sed 's/-[^-]*$$//; s/^postgresql-[0-9]*/libpq/; s/^libinih/inih/' $(DEPS)/versions | paste -sd, | sed 's/,/, /g')\"" >> $@

# src/stages/require/probe.py → build/gen/stages/require/probe.py.h: `probe_py`, deflated, and `probe_py_size`, the bytes that come of it:
# EM_SCRIPT(probe_py). Without their comments and empty lines, and with tabs for indentation; of gzip's format, what is between header and trailer.
$o/gen/%.h: src/% Makefile
	@mkdir -p $(@D)
	@sed -E '/^ *(#|\/\/)( |$$)/d; /^$$/d; :a; s/^(\t*) {4}/\1\t/; ta' $< > $@.text
	@name=$$(echo '$(notdir $<)' | tr -c 'A-Za-z0-9\n' _); { \
	  echo "static const unsigned char $$name[] = {"; \
	  gzip -9nc $@.text | tail -c +11 | head -c -8 | od -An -v -tu1 | sed 's/[0-9][0-9]*/&,/g'; \
	  echo "};"; \
	  echo "enum { $${name}_size = $$(wc -c < $@.text) };"; } > $@

install: $o/embark
	install -D -m 755 $o/embark $(DESTDIR)$(PREFIX)/bin/embark
	for page in $(wildcard doc/*.[157]); do \
	  install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$(basename $$page) || exit; done

# With the licences of what is linked in. Docker's engine takes it if it is there, or else (root) one that is started for it; Podman, where
# there is no Docker.
IMAGE  ?= embark
ENGINE ?= $(shell command -v podman >/dev/null && ! command -v docker >/dev/null && echo podman || echo docker)
image: $o/embark
	@rm -rf $o/image && mkdir -p $o/image/licenses
	@cp $o/embark $o/image/ && cp $(DEPS)/licenses/* $o/image/licenses/ && cp LICENSE $o/image/licenses/embark
	@printf '%s\n' 'FROM scratch' 'COPY . /' 'ENTRYPOINT ["/embark"]' > $o/image.dockerfile
	$(if $(filter docker,$(ENGINE)),test/docker/engine )$(ENGINE) build $(if $(foreign),--platform linux/$(ARCH) )-t $(IMAGE) \
	  -f $o/image.dockerfile $o/image

# Two calls of make, as each processor has its own libraries.
release:
	@.ci/packages ensure build release
	@$(MAKE) --no-print-directory ARCH=x86_64
	@$(MAKE) --no-print-directory ARCH=aarch64
	@.ci/release/make $(VERSION) dist

asan: check-packages
	@$(MAKE) --no-print-directory $o/asan/embark

# ---- Tests --------------------------------------------------------------------------------------------------------------

# Each test/unit/core/…/test_*.c is a program linked with core alone, each test/unit/os/…/test_*.c one with os and core, each
# test/unit/db/test_*.c one with core and libpq, each test/unit/init/test_*.c one with the file that it is about.
unit_asan    := $(unit_sources:%.c=$o/asan/%)
unit_plain   := $(unit_sources:%.c=$o/plain/%)

$o/asan/test/unit/core/%: $o/asan/test/unit/core/%.o $o/asan/core.a $o/asan/inih.o
	$(Q)gcc $(asan) -o $@ $^ -lcmocka -lmd -ljansson
$o/asan/test/unit/os/%: $o/asan/test/unit/os/%.o $o/asan/os.a $o/asan/core.a $o/asan/inih.o
	$(Q)gcc $(asan) -o $@ $^ -lcmocka -lssl -lcrypto -lmd -ljansson
$o/plain/test/unit/core/%: $o/plain/test/unit/core/%.o $o/plain/core.a $o/plain/inih.o
	$(Q)gcc -o $@ $^ -lcmocka -lmd -ljansson
$o/plain/test/unit/os/%: $o/plain/test/unit/os/%.o $o/plain/os.a $o/plain/core.a $o/plain/inih.o
	$(Q)gcc -o $@ $^ -lcmocka -lssl -lcrypto -lmd -ljansson
$o/asan/test/unit/db/test_%: $o/asan/test/unit/db/test_%.o $o/asan/core.a $o/asan/inih.o
	$(Q)gcc $(asan) -o $@ $^ $(glibc_libpq) -lcmocka -lmd -ljansson
$o/plain/test/unit/db/test_%: $o/plain/test/unit/db/test_%.o $o/plain/core.a $o/plain/inih.o
	$(Q)gcc -o $@ $^ $(glibc_libpq) -lcmocka -lmd -ljansson
$o/asan/test/unit/init/test_%: $o/asan/test/unit/init/test_%.o $o/asan/src/init/%.o
	$(Q)gcc $(asan) -o $@ $^ -lcmocka
$o/plain/test/unit/init/test_%: $o/plain/test/unit/init/test_%.o $o/plain/src/init/%.o
	$(Q)gcc -o $@ $^ -lcmocka
# As embark is linked, for this processor or for another one, where they are emulated (test/arm64). Without -static they would be
# programs that need a loader.
unit_static  := $(unit_sources:%.c=$o/tls/%)
unit_libs    := -L$(DEPS)/unit -L$(DEPS)/lib/tls -L$(DEPS)/lib -lcmocka -lpq -lpgcommon -lpgport -lssl -lcrypto -lmd -ljansson

$o/tls/test/unit/core/%: $o/tls/test/unit/core/%.o $o/tls/core.a $o/tls/inih.o
	$(Q)$(compiler) -static -o $@ $^ $(unit_libs)
$o/tls/test/unit/os/%: $o/tls/test/unit/os/%.o $o/tls/os.a $o/tls/core.a $o/tls/inih.o
	$(Q)$(compiler) -static -o $@ $^ $(unit_libs)
$o/tls/test/unit/db/test_%: $o/tls/test/unit/db/test_%.o $o/tls/core.a $o/tls/inih.o
	$(Q)$(compiler) -static -o $@ $^ $(unit_libs)
$o/tls/test/unit/init/test_%: $o/tls/test/unit/init/test_%.o $o/tls/src/init/%.o
	$(Q)$(compiler) -static -o $@ $^ $(unit_libs)
unit-static: $(unit_static)
.SECONDARY:

# In this order, even with -j, and the second half also if the first one failed.
test:
	@.ci/packages ensure build test
	@status=0; $(MAKE) $o/embark && { $(MAKE) unit || status=$$?; $(MAKE) pytest || status=$$?; exit $$status; }

unit: test-packages
	@$(MAKE) --no-print-directory $(unit_asan)
	@test/own-root test/unit/run $(unit_asan)

# Most tests wait most of the time: three files at a time, each with servers of its own.
program_tests = test/own-root $(PYTHON) -m pytest -n 3 --dist loadfile test/program $(ARGS)

pytest: $o/embark test-packages
	EMBARK_BIN=$(CURDIR)/build/embark $(program_tests)

# Hundreds of replicas, and rounds of killing: make test-swarm ARGS='rounds --rounds=200'
test-swarm: $o/embark test-packages
	EMBARK_BIN=$(CURDIR)/build/embark test/own-root test/swarm/run $(ARGS)

# README's two commands on a machine that has nothing: half an hour. IN: see .ci/fresh
test-fresh:
	.ci/fresh $(IN) -- $(ARGS)

# Every system call of a start fails once, with each of its errors: make test-faults ARGS='--only=wait4,fork migrate'
test-faults: $o/embark test-packages
	EMBARK_BIN=$(CURDIR)/build/embark test/own-root test/faults/run $(ARGS)

# Random histories, each start compared with what the migration's own tool says: make test-model ARGS='--histories=1000 --seed=1'
test-model: $o/embark test-packages
	EMBARK_BIN=$(CURDIR)/build/embark test/model/run $(ARGS)

# Folders of all tools' SQL migrations, and starts that are killed: make test-trees ARGS='--trees=200 --seed=1'
test-trees: $o/embark test-packages
	EMBARK_BIN=$(CURDIR)/build/embark test/trees/run $(ARGS)

# What this machine can't run, emulated beside its own servers: make test-arm64 ARGS='short'
test-arm64: test-packages
	@.ci/packages ensure emulation
	@$(MAKE) --no-print-directory ARCH=aarch64 all unit-static
	@test/own-root test/arm64/run $(ARGS)

# The release is made anew in another folder, and compared; its images are run: make test-release ARGS='-k packages'
test-release: test-packages
	@.ci/packages ensure release images emulation
	@$(MAKE) --no-print-directory release
	@test/docker/engine $(PYTHON) -m pytest test/release $(ARGS)

# In real containers: make test-docker ARGS='-k health'
test-docker: $o/embark
	test/docker/run $(ARGS)

# The manifests of doc/kubernetes.md, played by podman (root): make test-kubernetes ARGS='-k in-place'
test-kubernetes: $o/embark test-packages
	@.ci/packages ensure kubernetes
	EMBARK_BIN=$(CURDIR)/build/embark $(PYTHON) -m pytest test/kubernetes $(ARGS)

# Every harness in test/fuzz for FUZZ_SECONDS each, from the seeds in test/fuzz/corpus and what earlier runs have found; then embark beside the
# references.
FUZZ_SECONDS ?= 30
fuzzers      := $(patsubst test/fuzz/%.c,$o/fuzz/%.run,$(wildcard test/fuzz/fuzz_*.c))

$o/fuzz/%: compiler := clang
$o/fuzz/%: flags := -O1 -g -DEMBARK_TLS=1 $(fuzzed),fuzzer-no-link
# It has an array of no elements on its stack, on purpose.
$o/fuzz/inih.o: flags := -O1 -g
$o/fuzz/%.run: test/fuzz/%.c $o/fuzz/core.a $o/fuzz/inih.o
	@echo '  $@'
	$(Q)clang -std=gnu11 -g -O1 $(fuzzed),fuzzer $(cppflags) -Isrc -o $@ $^ -ljansson -lmd
$o/fuzz/compare: test/fuzz/compare.c $o/asan/core.a $o/asan/inih.o | $(DEPS)/glibc
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -g -O1 $(asan) $(cppflags) -isystem $(DEPS)/glibc/include -o $@ $^ $(glibc_libpq) -ljansson -lmd

fuzz: check-packages
	@$(MAKE) --no-print-directory $(fuzzers) $o/fuzz/compare
	@for run in $(fuzzers); do \
	  name=$$(basename $$run .run); seeds=test/fuzz/corpus/$$name; mkdir -p $o/fuzz/$$name; \
	  if ! [ -d $$seeds ]; then seeds=; fi; \
	  $$run -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 $o/fuzz/$$name $$seeds \
	    >$o/fuzz/$$name.log 2>&1 || { tail -n 40 $o/fuzz/$$name.log; exit 1; }; \
	  echo "$$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' $o/fuzz/$$name.log) texts"; done
	@test/fuzz/compare build/$(in)fuzz/compare --seconds=$(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed=$(FUZZ_SEED))

demo:
	@.ci/packages ensure build demo
	@$(MAKE) $o/embark
	@test/demo/run

# What a run is recorded of, and what is drawn of it, is part of the tree. The chart is that of the last make bench.
pictures: $o/embark
	@.ci/packages ensure demo
	@test/demo/run --record test/pictures/start.json
	@test/pictures/draw $(if $(wildcard build/bench/results.json),--bench build/bench/results.json)

check-pictures:
	@.ci/packages ensure pictures
	@test/pictures/browser

bench: $o/embark test-packages
	@.ci/packages ensure bench
	@test/bench/run
	@test/bench/bundle
	@test/own-root test/bench/health

# docker run to the first request that is served, with embark and without: make bench-docker ROUNDS=5
bench-docker: $o/embark
	EMBARK_BIN=$(CURDIR)/build/embark test/docker/engine sh -c 'test/docker/images python postgres && exec test/docker/bench'

test-packages: FORCE
	@.ci/packages ensure test
check-packages: FORCE
	@.ci/packages ensure test check

# ---- Checks: what can be said without running embark goes first, each one also a target of its own. --------------------

unit_headers := $(shell find test/unit -name '*.[ch]')
analysis     := -std=gnu11 $(cppflags) -DEMBARK_TLS=1 -isystem $(DEPS)/glibc/include
checks       := check-format check-layers check-tidy check-cppcheck check-analyzer check-scripts check-programs check-sql check-foreign \
                check-manual check-docs check-sizes

check: check-packages
	@status=0; \
	  $(MAKE) --no-print-directory -k -Otarget $(checks) $o/asan/embark $(unit_plain) || status=1; \
	  WRAP='$(valgrind)' test/own-root test/unit/run $(unit_plain) || status=1; \
	  $(MAKE) --no-print-directory unit || status=1; \
	  $(asan_options) EMBARK_ASAN=1 EMBARK_BIN=$(CURDIR)/build/asan/embark $(program_tests) || status=1; \
	  exit $$status

valgrind     := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible
# An error ends the program in a way that no test takes for a result of embark's.
asan_options := ASAN_OPTIONS=exitcode=99:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

check-format:
	@echo "clang-format: $(words $(sources) $(headers) $(unit_headers)) files"
	@clang-format --dry-run -Werror $(sources) $(headers) $(unit_headers)
check-layers: $o/plain/core.a $(objects_plain)
	.ci/layers $o/plain '$(layers)' '$(rooms:~=)'
check-tidy: $(generated)
	@echo "clang-tidy: $(words $(sources)) files"
	@printf '%s\n' $(sources) | xargs -P $$(nproc) -n 1 sh -c 'clang-tidy --quiet "$$@" -- $(analysis) 2>&1 | \
	  grep -v "warnings generated\|^Suppressed\|^Use -header-filter" | { ! grep . >&2; }' tidy
check-cppcheck: $(generated)
	@echo "cppcheck: $(words $(sources)) files"
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  --suppress='*:$(DEPS)/*' -j $$(nproc) $(cppflags) -I$(DEPS)/include -DEMBARK_TLS=1 $(sources)
# gcc -fanalyzer: paths through a function and what it calls, on which memory leaks, is used too late or is no memory at all.
check-analyzer: $(generated)
	@echo "gcc -fanalyzer: $(words $(sources)) files"
	@printf '%s\n' $(sources) | xargs -P $$(nproc) -n 1 sh -c 'gcc -O1 -fanalyzer -Werror -c -o /dev/null $(analysis) "$$@"' analyzer
check-scripts:
	@shellcheck $$(grep -lE '^#!/bin/(ba)?sh' $$(find .ci test -type f))
check-programs:
	@.ci/programs
# Every name in the SQL that embark sends stands with its schema.
check-sql:
	.ci/sql
# What others wrote is escaped on its way to a terminal or a log.
check-foreign:
	.ci/foreign
# What the documents for developers say of the tree is so; the picture is that of the list of rooms.
check-docs:
	.ci/rooms
check-manual:
	@for page in $(wildcard doc/*.[157]); do mandoc -T lint -W warning $$page || exit; done
# What a container image has to carry: with TLS at most 3.3 MB; where relocations can't be packed, 0.6 MB more. Without, libpq, its Unicode tables and libc are 350 kB;
# the limit is there so that growth is noticed.
check-sizes: $o/tls/embark $o/notls/embark
	@wc -c $^ | awk -v more=$(if $(packed),0,600000) '/notls/ { limit = 1150000 + more } !/notls/ { limit = 3300000 + more } \
	  !/total/ { print $$2 ": " $$1 " bytes of " limit; if ($$1 > limit) exit 1 }'
format:
	clang-format -i $(sources) $(headers) $(unit_headers)

clean:
	rm -rf build dist

FORCE:
.PHONY: all install image release unit-static test-arm64 test-release asan test unit pytest test-swarm test-faults test-model test-trees test-fresh test-docker test-kubernetes fuzz demo pictures check-pictures bench bench-docker check clean format $(checks) test-packages check-packages FORCE
