# mapbench. `make help` lists the commands.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Settings, all overridable on the command line.
BUILD ?= build#             where everything is built
MARCH ?=#                   -march of every unit; empty: the compiler's baseline
SANITIZE ?=#                address,undefined or thread
JOBS ?= 2#                  parallel compilations
SKIP_DEPS ?=#               1: install nothing
SELECT ?=#                  only the units MAP-SHAPE-HASH-HEAP that this regular expression matches; empty: all
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
BUILD := $(strip $(BUILD))
JOBS := $(strip $(JOBS))
MARCH := $(strip $(MARCH))
SANITIZE := $(strip $(SANITIZE))
SKIP_DEPS := $(strip $(SKIP_DEPS))
SELECT := $(strip $(SELECT))
export SELECT

# A path too long for its buffer fails when it is opened; no need to warn where it is put together. What is inlined decides
# whether gcc sees that a variable is set: with the sanitizers' checks in between it often does not.
WARN := -Wall -Wextra -Wshadow $(if $(findstring clang,$(CC)),,-Wno-format-truncation $(if $(SANITIZE),-Wno-maybe-uninitialized))
sanitize_flags := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -DMAPBENCH_FAULTS -DMAPBENCH_SANITIZED)
# The one set of flags for every unit, C and C++ alike. Frame pointers make the flame graphs readable; the alignment
# keeps an unrelated edit from moving a loop's speed (docs/method.md).
UNIT_FLAGS := $(if $(SANITIZE),-Og -g1,-O3 -g) -DNDEBUG -falign-functions=64 -fno-omit-frame-pointer $(if $(MARCH),-march=$(MARCH)) $(sanitize_flags)
HARNESS_FLAGS := $(if $(SANITIZE),-Og -g1,-O2 -g) -fno-omit-frame-pointer $(sanitize_flags)
C_STD := -std=gnu17 -D_GNU_SOURCE
CXX_STD := -std=gnu++20
gen := $(BUILD)/gen
# A library that is absent leaves its map listed as unavailable (the map file's __has_include finds out).
pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
boost_local := $(wildcard deps/boost/usr/include)
INCLUDES := -I. -I$(gen) $(if $(boost_local),-isystem $(boost_local)) $(patsubst -I%,-isystem %,$(call pkg,--cflags-only-I,glib-2.0))
LIBS := $(call pkg,--libs,glib-2.0) $(call pkg,--libs,absl_flat_hash_map absl_hash) \
        $(if $(wildcard /usr/include/Judy.h),-lJudy) $(if $(wildcard /usr/include/gc/gc.h),-lgc) -lbenchmark -linih -ljansson -lmd -lz -lpthread -ldl -lm

# --- units -----------------------------------------------------------------------------------------------------
defs := harness/shapes/shapes.def harness/heaps/heaps.def maps/maps.def
select := SELECT='$(SELECT)'
units := $(shell $(select) awk -f harness/unit/expand_units.awk -v as=make $(defs))
shapes := $(shell awk -f harness/unit/expand_units.awk -v as=shapes $(defs))
# Maps on the collecting heap, for retention scenarios.
retention_units := $(shell $(select) awk -f harness/retention/expand_units.awk -v as=make harness/retention/units.def)
# Those that only scenarios drive, by operations: no loops are compiled.
scenario_units := $(filter-out $(units),$(retention_units))
unit_objects :=

# $(1) map  $(2) language  $(3) file  $(4) shape  $(5) hash  $(6) heap  $(7) further flags
unit_compile = $(if $(filter cxx,$(2)),$(CXX) -x c++ $(CXX_STD) -Wno-unused-function,$(CC) $(C_STD) -Wno-unused-function) $$(WARN) $$(UNIT_FLAGS) $$(INCLUDES) -MMD -MP \
	  -DUNIT_SYMBOL=unit_$(1)_$(4)_$(5)_$(6) -DUNIT_MAP='"$(1)"' -DUNIT_MAP_FILE='"$(3)"' \
	  -DUNIT_SHAPE_FILE='"harness/shapes/$(4).h"' -DUNIT_HEAP_FILE='"harness/heaps/$(6).h"' \
	  -DUNIT_HASH='"$(5)"' -DUNIT_HASH_$(5) $(7) -c $$< -o $$@
define unit_rule
unit_objects += $(BUILD)/units/$(1)-$(4)-$(5)-$(6).o
$(BUILD)/units/$(1)-$(4)-$(5)-$(6).o: harness/unit/map_unit.c $(gen)/flags
	@echo "  unit $(1) $(4) $(5) $(6)"
	@$(call unit_compile,$(1),$(2),$(3),$(4),$(5),$(6),$(7))
endef
colon := :
split = $(subst :, ,$(1))
$(foreach u,$(units),$(eval $(call unit_rule,$(word 1,$(call split,$(u))),$(word 2,$(call split,$(u))),$(word 3,$(call split,$(u))),$(word 4,$(call split,$(u))),$(word 5,$(call split,$(u))),$(word 6,$(call split,$(u))))))
$(foreach u,$(scenario_units),$(eval $(call unit_rule,$(word 1,$(call split,$(u))),$(word 2,$(call split,$(u))),$(word 3,$(call split,$(u))),$(word 4,$(call split,$(u))),$(word 5,$(call split,$(u))),$(word 6,$(call split,$(u))),-DUNIT_OPERATIONS_ONLY)))
shape_objects := $(patsubst %,$(BUILD)/shapes/%.o,$(shapes))

$(BUILD)/shapes/%.o: harness/shapes/shape_unit.c $(gen)/flags
	@$(CC) $(C_STD) $(WARN) -Wno-unused-function $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -DSHAPE_FILE='"harness/shapes/$*.h"' -DSHAPE_SYMBOL=shape_$* -c $< -o $@

# --- harness ---------------------------------------------------------------------------------------------------
main_sources := $(filter-out harness/unit/map_unit.c harness/shapes/shape_unit.c harness/preload/memcount.c,$(wildcard harness/*.c)) \
  $(wildcard harness/heaps/*.c harness/heaps/gosim/*.c harness/retention/*.c harness/retention/scenarios/*.c)
harness_objects := $(patsubst harness/%.c,$(BUILD)/harness/%.o,$(main_sources)) $(patsubst harness/%.cc,$(BUILD)/harness/%.o,$(wildcard harness/*.cc))
library_objects := $(filter-out $(BUILD)/harness/main.o,$(harness_objects)) $(shape_objects)

$(gen)/units.def: $(defs) harness/unit/expand_units.awk $(gen)/flags
	@awk -f harness/unit/expand_units.awk -v as=def $(defs) > $@
$(gen)/retention_units.def: harness/retention/units.def harness/retention/expand_units.awk $(gen)/flags
	@awk -f harness/retention/expand_units.awk -v as=def $< > $@

# Everything is built again when the compilers, a flag or the set of libraries changes: one build, one set of flags.
library_headers := $(wildcard /usr/include/Judy.h /usr/include/uthash.h /usr/include/htslib/khash.h /usr/include/stb/stb_ds.h \
  /usr/include/glib-2.0/glib.h /usr/include/absl/container/flat_hash_map.h /usr/include/tsl/robin_map.h /usr/include/boost/version.hpp /usr/include/gc/gc.h)
$(gen)/flags: FORCE
	@echo '$(CC) $(CXX) $(C_STD) $(CXX_STD) $(WARN) $(UNIT_FLAGS) $(HARNESS_FLAGS) $(INCLUDES) $(LIBS) $(library_headers) $(SELECT)' > $@.new; \
	  cmp -s $@.new $@ || mv $@.new $@; rm -f $@.new

# The libraries behind adapters, as installed now: name=version.
adapter_packages = $(shell dpkg-query -W -f '$${db:Status-Abbrev} $${Package}=$${Version}\n' $$(sed -n 's/.*\.package = "\([^"]*\)".*/\1/p' maps/*.h maps/adapters/*.h | sort -u) 2>/dev/null | sed -n 's/^ii *//p')
# What the build was made with, for the results; rewritten only when it changes.
$(gen)/build_info.h: FORCE
	@{ echo '#define BUILD_UNIT_FLAGS "$(strip $(UNIT_FLAGS))"'; \
	   echo '#define BUILD_HARNESS_FLAGS "$(strip $(HARNESS_FLAGS))"'; \
	   echo "#define BUILD_CC \"$$($(CC) --version | head -n 1)\""; \
	   echo "#define BUILD_CXX \"$$($(CXX) --version | head -n 1)\""; \
	   echo '#define BUILD_PACKAGES "$(adapter_packages)"'; \
	   echo "#define BUILD_COMMIT \"$$(setup/commit.sh 2>/dev/null)\""; \
	   echo "#define BUILD_COMMIT_WHY \"$$(setup/commit.sh 2>&1 >/dev/null)\""; \
	 } > $@.new; cmp -s $@.new $@ || mv $@.new $@; rm -f $@.new

$(BUILD)/harness/%.o: harness/%.c $(gen)/flags | $(gen)/units.def $(gen)/retention_units.def $(gen)/build_info.h
	@echo "  cc $<"
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -c $< -o $@
$(BUILD)/harness/%.o: harness/%.cc $(gen)/flags
	@echo "  c++ $<"
	@$(CXX) $(CXX_STD) $(WARN) $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -c $< -o $@

# Counts and fails allocations in a process that preloads it; never part of a sanitizer build.
$(BUILD)/libmemcount.so: harness/preload/memcount.c harness/preload/memcount.h $(gen)/flags
	@$(CC) $(C_STD) $(WARN) -O2 -g -fPIC -shared -I. $< -o $@ -ldl

$(BUILD)/mapbench: $(harness_objects) $(shape_objects) $(unit_objects)
	@echo "  link $@"
	@$(CXX) $(HARNESS_FLAGS) -rdynamic $^ $(LIBS) -o $@

-include $(unit_objects:.o=.d) $(harness_objects:.o=.d) $(shape_objects:.o=.d)

# --- engines ----------------------------------------------------------------------------------------------------
# Real Go, where its toolchains are (make engines gets them). A failure leaves the engine's maps unavailable.
engine_sources := $(wildcard harness/engines/go/*)
engine_programs :=
# $(1) program  $(2) Go version  $(3) GOEXPERIMENT
define engine_rule
go_$(1) := $(shell setup/go.sh find $(2))
engine_programs += $$(if $$(go_$(1)),$(BUILD)/engines/$(1))
$(BUILD)/engines/$(1): $$(engine_sources)
	@echo "  go $$@"
	@harness/engines/go/build.sh $$(go_$(1)) "$(3)" $(BUILD)/engines/work $$@ || echo "  $$@ could not be built: its maps are unavailable"
endef
comma := ,
$(eval $(call engine_rule,go1.24,1.24,))
$(eval $(call engine_rule,go1.24-classic,1.24,noswissmap$(comma)nosynchashtriemap))
$(eval $(call engine_rule,go1.23,1.23,))

include harness/pair/pair.mk
include tests/test.mk

# --- commands --------------------------------------------------------------------------------------------------
# Folders are made when the Makefile is read: every rule can rely on them.
# A build folder that lies elsewhere leads back to the sources: profiles, judge and plots are there.
$(shell mkdir -p $(BUILD)/units $(BUILD)/shapes $(BUILD)/harness/heaps/gosim $(BUILD)/harness/retention/scenarios $(BUILD)/tests $(gen); ln -sfn '$(CURDIR)' $(BUILD)/source)

.PHONY: help deps deps-test engines build run test bench report nightly clean FORCE
FORCE:

help:
	@echo "make run      install what is missing, build, measure the quick profile, draw its report"
	@echo "make test     install what is missing, build, run every test"
	@echo "make build    build only: $(BUILD)/mapbench"
	@echo "make deps     install what measuring and drawing need (deps-test: what the tests need besides)"
	@echo "make engines  get Go 1.23 and 1.24 and build the real-Go engines: the maps real_go_*"
	@echo "make bench    measure PROFILE=name (default quick)"
	@echo "make bench-gosim  time the collecting heap against its targets and real Go (STRICT=1: fail when one is missed)"
	@echo "make pair-units  link UNITS=\"MAP-SHAPE-HASH-HEAP ...\" as shared objects that pair-worker loads (PAD=BYTES moves their code)"
	@echo "make bench-compare  try the paired comparison against its targets with real processes: half an hour"
	@echo "make bench-gate   hold the counting gate against its promises, with a change planted into every map"
	@echo "make report   draw the newest run again"
	@echo "make nightly  install what is missing, build, run every gate: NIGHTLY='--budget 30' passes options (docs/nightly.md)"
	@echo "make clean    remove $(BUILD)"
	@echo "Variables: BUILD=$(BUILD) CC=$(CC) CXX=$(CXX) MARCH=$(MARCH) SANITIZE=$(SANITIZE) SELECT=REGEX JOBS=$(JOBS) SKIP_DEPS=1"

deps:
	@$(if $(SKIP_DEPS),echo "deps: SKIP_DEPS=1: nothing installed",setup/deps.sh run)
deps-test: deps
	@$(if $(SKIP_DEPS),:,setup/deps.sh test)
	@$(if $(SKIP_DEPS),:,setup/go.sh install 1.24 1.23 || true)
engines:
	@$(if $(SKIP_DEPS),:,setup/go.sh install 1.24 1.23)
	@$(MAKE) build

build:
	@$(MAKE) -j$(JOBS) $(BUILD)/mapbench $(if $(SANITIZE),,$(BUILD)/libmemcount.so $(engine_programs))

PROFILE ?= quick
run bench: deps
	@$(MAKE) build
	@$(BUILD)/mapbench run $(PROFILE)

report:
	@$(BUILD)/mapbench report

# make itself ends with 2 whenever a command fails: the exit code of the night is in the last line, and in nightly.json.
nightly: deps
	@$(MAKE) build
	@$(BUILD)/mapbench nightly $(NIGHTLY)

test: deps-test
	@$(MAKE) build
	@tests/run_all.sh $(BUILD)

clean:
	rm -rf $(BUILD)
