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
GO_RELEASES ?= 1.27 1.26 1.25 1.24 1.23# releases of Go that engines and deps-test get
LIBS_FOLDER ?= deps/libs#   newer releases of libraries, beside the system's (make libs)
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
LIBS_FOLDER := $(strip $(LIBS_FOLDER))
export SELECT

# A path too long for its buffer fails when it is opened; no need to warn where it is put together. What is inlined decides
# whether gcc sees that a variable is set: with the sanitizers' checks in between it often does not.
WARN := -Wall -Wextra -Wshadow $(if $(findstring clang,$(CC)),,-Wno-format-truncation $(if $(SANITIZE),-Wno-maybe-uninitialized))
sanitize_flags := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -DMAPBENCH_FAULTS -DMAPBENCH_SANITIZED)
# The one set of flags for every unit, C and C++ alike. Frame pointers make the flame graphs readable; the alignment
# keeps an unrelated edit from moving a loop's speed (docs/method.md).
UNIT_FLAGS := $(if $(SANITIZE),-Og -g1,-O3 -g) -DNDEBUG -falign-functions=64 -fno-omit-frame-pointer $(if $(MARCH),-march=$(MARCH)) $(sanitize_flags)
HARNESS_FLAGS := $(if $(SANITIZE),-Og -g1,-O2 -g) -fno-omit-frame-pointer $(sanitize_flags)
HEAD_FLAGS := -O1 $(sanitize_flags)#  facts of the maps, none of which is measured
export LC_ALL := C#                what compilers say is read, and stored
C_STD := -std=gnu17 -D_GNU_SOURCE
CXX_STD := -std=gnu++20
gen := $(BUILD)/gen
# A library that is absent leaves its map listed as unavailable (the map file's __has_include finds out).
pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
boost_local := $(wildcard deps/boost/usr/include)
INCLUDES := -I. -I$(gen) $(if $(boost_local),-isystem $(boost_local)) $(patsubst -I%,-isystem %,$(call pkg,--cflags-only-I,glib-2.0))
LIBS := $(if $(wildcard /usr/include/gc/gc.h),-lgc) -lbenchmark -linih -ljansson -lelf -lmd -lz -lpthread -ldl -lm
UNIT_LIBS := $(call pkg,--libs,glib-2.0) $(call pkg,--libs,absl_flat_hash_map absl_hash) $(if $(wildcard /usr/include/Judy.h),-lJudy)
comma := ,

# --- units -----------------------------------------------------------------------------------------------------
# A unit is a shared object that the program loads when a command needs it (harness/unit/build.h calls make for those
# that are missing or out of date).
# Maps of your own in maps/local.def, which git ignores, come after those of the project.
defs := harness/shapes/shapes.def harness/heaps/heaps.def maps/maps.def $(wildcard maps/local.def) harness/retention/units.def
libraries := $(sort $(notdir $(wildcard $(LIBS_FOLDER)/*_*)))
expand := awk -f harness/unit/expand_units.awk -v libs='$(libraries)'
shapes := $(shell $(expand) -v as=shapes $(defs))
UNITS ?=#                   units by name, MAP-SHAPE-HASH-HEAP: what unit-files and pair-units make
UNITS := $(sort $(UNITS))
# all_units, and of each unit its fields: unit_NAME := map language file shape hash heap loops|operations; the same of maps.
$(gen)/units.mk: $(defs) $(gen)/libraries harness/unit/expand_units.awk
	@mkdir -p $(@D); SELECT= $(expand) -v as=rules $(defs) > $@.new && SELECT= $(expand) -v as=heads $(defs) >> $@.new && mv $@.new $@
# Made anew when a library comes or goes, or maps/local.def does.
$(gen)/libraries: FORCE
	@mkdir -p $(@D); echo '$(LIBS_FOLDER) $(libraries) $(defs)' > $@.new && { cmp -s $@.new $@ || mv $@.new $@; } && rm -f $@.new
include $(gen)/units.mk
# What is exported reaches recipes, not $(shell), before make 4.4.
selected_units = $(if $(SELECT),$(shell SELECT='$(SELECT)' $(expand) -v as=rules $(defs) | sed -n 's/^all_units :=//p'),$(all_units))

map_of = $(word 1,$(1))
language_of = $(word 2,$(1))
file_of = $(word 3,$(1))
shape_of = $(word 4,$(1))
hash_of = $(word 5,$(1))
heap_of = $(word 6,$(1))
library_of = $(library_$(call map_of,$(1)))
# A library beside the system's: its headers come before all others, and libstdc++'s in place of the compiler's.
unit_library = $(if $(library_of),$(if $(filter libstdc++_%,$(library_of)),\
  -nostdinc++ -isystem $(LIBS_FOLDER)/$(library_of)/include/c++ -isystem $(LIBS_FOLDER)/$(library_of)/include/arch,-isystem $(LIBS_FOLDER)/$(library_of)/include))
unit_archives = $(if $(library_of),$(wildcard $(LIBS_FOLDER)/$(library_of)/lib/*.a))
# $(1) fields: compiler and language of a map's file, and what makes a unit of map_unit.c
unit_cc = $(if $(filter cxx,$(call language_of,$(1))),$(CXX) -x c++ $(CXX_STD),$(CC) $(C_STD)) $(WARN) -Wno-unused-function
# In C, a release's @ and dots are underscores, as in harness/unit/load.c; MAP_RELEASE is 124 for MAP@1.24.
in_c = $(subst @,_,$(subst .,_,$(1)))
release_of = $(subst .,,$(word 2,$(subst @, ,$(call map_of,$(1)))))
unit_defines = $(addprefix -DMAP_RELEASE=,$(call release_of,$(1))) -DUNIT_SYMBOL=unit_$(call in_c,$(call map_of,$(1)))_$(call shape_of,$(1))_$(call hash_of,$(1))_$(call heap_of,$(1)) \
  -DUNIT_MAP='"$(call map_of,$(1))"' -DUNIT_MAP_FILE='"$(call file_of,$(1))"' \
  -DUNIT_SHAPE_FILE='"harness/shapes/$(call shape_of,$(1)).h"' -DUNIT_HEAP_FILE='"harness/heaps/$(call heap_of,$(1)).h"' \
  $(if $(header_$(call map_of,$(1))),-DHEADER_SETTINGS='"headers/$(call map_of,$(1)).h"') \
  -DUNIT_HASH='"$(call hash_of,$(1))"' -DUNIT_HASH_$(call hash_of,$(1)) $(if $(filter operations,$(1)),-DUNIT_OPERATIONS_ONLY)
# Code of a unit that lies in a shared object; of C maps it is what it would be in a program, instruction by instruction.
UNIT_SHARED := -fPIC -fvisibility=hidden
# Heaps but malloc are the program's own code: called through the address that the loader found, with no jump between.
UNIT_HEAP_CALLS := -fno-plt

$(BUILD)/units/%.o: harness/unit/map_unit.c harness/unit/compile.sh $(gen)/flags $(gen)/unit_build_id | $(header_maps:%=$(gen)/headers/%.h)
	@echo "  unit $*"
	@harness/unit/compile.sh $@ $(call unit_cc,$(unit_$*)) $(call unit_library,$(unit_$*)) $(UNIT_FLAGS) $(UNIT_SHARED) $(if $(filter malloc,$(call heap_of,$(unit_$*))),,$(UNIT_HEAP_CALLS)) $(INCLUDES) -MMD -MP -MF $(@:.o=.d) -MT $@ \
	  -DUNIT_BUILD_ID='"$(unit_build_id)"' $(call unit_defines,$(unit_$*)) -c $<
# The heaps' functions are the program's: one collector a process. pair.mk links units that bring their own.
$(BUILD)/units/%.so: $(BUILD)/units/%.o $(gen)/export.map
	@harness/unit/compile.sh $@ $(call link_unit,$(unit_$*),$<)
# $(1) fields  $(2) objects. Libraries are linked to their adapters: one that is absent costs its map only.
link_unit = $(if $(filter cxx,$(call language_of,$(1))),$(CXX),$(CC)) $(HARNESS_FLAGS) -shared -Wl,-z,now -Wl,--version-script=$(gen)/export.map $(2) \
  $(if $(unit_archives),-Wl$(comma)--start-group $(unit_archives) -Wl$(comma)--end-group) \
  $(if $(filter maps/adapters/%,$(call file_of,$(1))),-Wl$(comma)--as-needed $(UNIT_LIBS))
# Only the unit's table can be seen from outside. What C++ shares between objects - instances of templates, statics of
# inline functions - would otherwise be taken from whichever object has it first, and two variants run the same code.
$(gen)/export.map: Makefile
	@echo '{ global: unit_*; local: *; };' > $@

# Facts of the maps, part of the program. A map that does not compile is listed with the compiler's first error line.
$(BUILD)/heads/%.o: harness/unit/map_head.c harness/unit/head.sh $(gen)/flags | $(header_maps:%=$(gen)/headers/%.h)
	@echo "  map $*"
	@harness/unit/head.sh $@ $(call file_of,$(head_$*)) "$(CC) $(C_STD) $(INCLUDES)" $(call unit_cc,$(head_$*)) $(call unit_library,$(head_$*)) $(HEAD_FLAGS) $(INCLUDES) \
	  -MMD -MP -MF $(@:.o=.d) -MT $@ $(call unit_defines,$(head_$*) malloc) -DHEAD_SYMBOL=head_$(call in_c,$*) -c $<

# What a HEADER line says, for the sources, which are made anew when it changes.
$(gen)/headers/%.h: FORCE
	@mkdir -p $(@D); harness/unit/header_settings.sh $@ '$(header_$*)' '$(table_$*)'

shape_objects := $(patsubst %,$(BUILD)/shapes/%.o,$(shapes))
head_objects := $(patsubst %,$(BUILD)/heads/%.o,$(all_maps))

$(BUILD)/shapes/%.o: harness/shapes/shape_unit.c $(gen)/flags
	@$(CC) $(C_STD) $(WARN) -Wno-unused-function $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -DSHAPE_FILE='"harness/shapes/$*.h"' -DSHAPE_SYMBOL=shape_$* -c $< -o $@

# --- harness ---------------------------------------------------------------------------------------------------
# All of it, less what is compiled apart: once a unit, once a shape, and the object that is preloaded.
main_sources := $(filter-out harness/unit/map_unit.c harness/unit/map_head.c harness/shapes/shape_unit.c harness/preload/%,$(shell find harness -name '*.c' | sort))
harness_objects := $(patsubst harness/%.c,$(BUILD)/harness/%.o,$(main_sources)) $(BUILD)/harness/measure/gbench.o
library_objects := $(filter-out $(BUILD)/harness/main.o,$(harness_objects)) $(shape_objects) $(head_objects)

$(gen)/units.def: $(defs) $(gen)/libraries harness/unit/expand_units.awk
	@SELECT= $(expand) -v as=def $(defs) > $@
$(gen)/maps.def: $(defs) $(gen)/libraries harness/unit/expand_units.awk
	@$(expand) -v as=maps $(defs) > $@

# Everything is built again when the compilers, a flag or the set of libraries changes: one build, one set of flags.
library_headers := $(wildcard /usr/include/Judy.h /usr/include/uthash.h /usr/include/htslib/khash.h /usr/include/stb/stb_ds.h \
  /usr/include/glib-2.0/glib.h /usr/include/absl/container/flat_hash_map.h /usr/include/tsl/robin_map.h /usr/include/boost/version.hpp /usr/include/gc/gc.h)
# What a unit and the program that loads it must have in common: compilers, flags, and the sources that both are made of.
compiler_versions := $(shell { $(CC) --version; $(CXX) --version; } 2>&1 | sha256sum | cut -c 1-16)
unit_build_id := $(shell { cat harness/unit/map_unit.c harness/unit/loops.inc harness/unit/{map,recorder,schedule}.h harness/heaps/*.h harness/heaps/gosim/gosim.h harness/shapes/*.h harness/base/clock.h; \
  echo '$(compiler_versions) $(CC) $(CXX) $(C_STD) $(CXX_STD) $(UNIT_FLAGS) $(UNIT_SHARED) $(UNIT_HEAP_CALLS)'; } 2>&1 | sha256sum | cut -c 1-16)
$(gen)/flags: FORCE
	@echo '$(CC) $(CXX) $(C_STD) $(CXX_STD) $(WARN) $(UNIT_FLAGS) $(HARNESS_FLAGS) $(HEAD_FLAGS) $(INCLUDES) $(LIBS) $(UNIT_LIBS) $(library_headers) $(compiler_versions)' > $@.new && \
	  { cmp -s $@.new $@ || mv $@.new $@; } && rm -f $@.new
# A shape or heap that changes costs the units, not the program.
$(gen)/unit_build_id: FORCE
	@echo '$(unit_build_id)' > $@.new && { cmp -s $@.new $@ || mv $@.new $@; } && rm -f $@.new

# The libraries behind adapters, as installed now: name=version.
adapter_packages = $(shell dpkg-query -W -f '$${db:Status-Abbrev} $${Package}=$${Version}\n' $$(sed -n 's/.*\.package = "\([^"]*\)".*/\1/p' maps/*.h maps/adapters/*.h | sort -u) 2>/dev/null | sed -n 's/^ii *//p')
# Of those beside the system's: folder=version.
library_packages = $(foreach l,$(libraries),$(l)=$(if $(wildcard $(LIBS_FOLDER)/$l/package),$(lastword $(subst =, ,$(shell head -n 1 $(LIBS_FOLDER)/$l/package))),unknown))
# What the build was made with, for the results; rewritten only when it changes.
$(gen)/build_info.h: FORCE
	@{ echo '#define BUILD_UNIT_FLAGS "$(strip $(UNIT_FLAGS))"'; \
	   echo '#define BUILD_HARNESS_FLAGS "$(strip $(HARNESS_FLAGS))"'; \
	   echo '#define BUILD_UNIT_ID "$(unit_build_id)"'; \
	   echo '#define BUILD_MAKE_SETTINGS "CC=$(CC)", "CXX=$(CXX)", "MARCH=$(MARCH)", "SANITIZE=$(SANITIZE)"'; \
	   echo "#define BUILD_CC \"$$($(CC) --version | head -n 1)\""; \
	   echo "#define BUILD_CXX \"$$($(CXX) --version | head -n 1)\""; \
	   echo '#define BUILD_PACKAGES "$(adapter_packages) $(library_packages)"'; \
	   echo "#define BUILD_COMMIT \"$$(setup/commit.sh 2>/dev/null)\""; \
	   echo "#define BUILD_COMMIT_WHY \"$$(setup/commit.sh 2>&1 >/dev/null)\""; \
	 } > $@.new && { cmp -s $@.new $@ || mv $@.new $@; } && rm -f $@.new

$(BUILD)/harness/%.o: harness/%.c $(gen)/flags | $(gen)/units.def $(gen)/maps.def $(gen)/build_info.h
	@echo "  cc $<"
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -c $< -o $@
$(BUILD)/harness/%.o: harness/%.cc $(gen)/flags
	@echo "  c++ $<"
	@$(CXX) $(CXX_STD) $(WARN) $(HARNESS_FLAGS) $(INCLUDES) -MMD -MP -c $< -o $@

# Counts and fails allocations in a process that preloads it; never part of a sanitizer build.
$(BUILD)/libmemcount.so: harness/preload/memcount.c harness/preload/memcount.h $(gen)/flags
	@$(CC) $(C_STD) $(WARN) -O2 -g -fPIC -shared -I. $< -o $@ -ldl

$(BUILD)/mapbench: $(harness_objects) $(shape_objects) $(head_objects)
	@echo "  link $@"
	@$(CXX) $(HARNESS_FLAGS) -rdynamic $^ $(LIBS) -o $@

-include $(harness_objects:.o=.d) $(shape_objects:.o=.d) $(head_objects:.o=.d)
# Of all units, or of those that are asked for.
-include $(if $(UNITS),$(UNITS:%=$(BUILD)/units/%.d),$(wildcard $(BUILD)/units/*.d))

# --- engines ----------------------------------------------------------------------------------------------------
# Real Go, where its toolchains are (make engines gets them). A failure leaves the engine's maps unavailable.
engine_sources := $(wildcard harness/engines/go/*)
engine_programs :=
ifeq ($(UNITS),)
# $(1) program  $(2) Go version  $(3) GOEXPERIMENT
define engine_rule
go_$(1) := $(shell setup/go.sh find $(2))
engine_programs += $$(if $$(go_$(1)),$(BUILD)/engines/$(1))
$(BUILD)/engines/$(1): $$(engine_sources)
	@echo "  go $$@"
	@harness/engines/go/build.sh $$(go_$(1)) "$(3)" $(BUILD)/engines/work $$@ || echo "  $$@ could not be built: its maps are unavailable"
endef
$(eval $(call engine_rule,go1.27,1.27,))
$(eval $(call engine_rule,go1.26,1.26,))
$(eval $(call engine_rule,go1.25,1.25,))
$(eval $(call engine_rule,go1.24,1.24,))
$(eval $(call engine_rule,go1.24-classic,1.24,noswissmap$(comma)nosynchashtriemap))
$(eval $(call engine_rule,go1.23,1.23,))
# Releases that the ports do not have yet, where they are asked for or were unpacked: built as far as they go.
$(foreach r,$(shell setup/go.sh newer $(GO_RELEASES)),$(eval $(call engine_rule,go$r,$r,)))
endif

include tests/test.mk

# --- commands --------------------------------------------------------------------------------------------------
# Folders are made when the Makefile is read: every rule can rely on them.
# A build folder that lies elsewhere leads back to the sources: profiles, judge and plots are there.
$(shell mkdir -p $(sort $(dir $(harness_objects))) $(BUILD)/units $(BUILD)/heads $(BUILD)/shapes $(BUILD)/tests $(gen) \
  $(if $(filter-out $(CURDIR)/%,$(abspath $(BUILD))),&& ln -sfn '$(CURDIR)' $(BUILD)/source))

.PHONY: help deps deps-test engines libs program build units unit-files run test bench report nightly clean FORCE
FORCE:

help:
	@echo "make run      install what is missing, build, measure the quick profile, draw its report"
	@echo "make test     install what is missing, build, run every test"
	@echo "make build    build only: $(BUILD)/mapbench, and the units of the smoke profile (SELECT=REGEX: those instead)"
	@echo "make units    build all units, or those that SELECT matches; commands that measure build what they lack"
	@echo "make deps     install what measuring and drawing need (deps-test: what the tests need besides)"
	@echo "make engines  get Go $(strip $(GO_RELEASES)) and build the real-Go engines: the maps real_go_* (GO_RELEASES=\"1.27 1.23\": these)"
	@echo "make libs     unpack the newest Boost, absl and libstdc++ beside the system's: maps such as boost_flat_192 (VERSIONS=\"boost=1.90\": that)"
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
	@$(if $(SKIP_DEPS),:,setup/go.sh install $(GO_RELEASES) || true)
# What cannot be had ends it with an error at last: everything else is built before.
engines:
	@status=0; $(if $(SKIP_DEPS),:,setup/go.sh install $(GO_RELEASES)) || status=$$?; $(MAKE) build && exit $$status

# VERSIONS="boost=1.90": that release; else the newest of each library.
libs:
	@status=0; $(if $(SKIP_DEPS),echo "libs: SKIP_DEPS=1: nothing unpacked",CXX='$(CXX)' LIBS_FOLDER='$(LIBS_FOLDER)' setup/libs.sh $(VERSIONS)) || status=$$?; $(MAKE) program && exit $$status

# The program alone: what it measures with it builds itself.
program:
	@$(MAKE) -s -j$(JOBS) $(BUILD)/mapbench $(if $(SANITIZE),,$(BUILD)/libmemcount.so $(engine_programs))
build: program
ifneq ($(SELECT),)
	@$(MAKE) units
else
	@$(BUILD)/mapbench units smoke
endif

units:
	@$(MAKE) -s -k -j$(JOBS) unit-files UNITS="$(selected_units)"
# A program's units are of its build id, PROGRAM_ID: make says in a line that it reads that it would build others.
ifeq ($(filter-out $(unit_build_id),$(PROGRAM_ID)),)
unit-files: $(UNITS:%=$(BUILD)/units/%.so)
else
unit-files:
	@echo "  cannot: compilers, flags or the harness have changed since this program was built: make build"; exit 1
endif

PROFILE ?= quick
run bench: deps
	@$(MAKE) program
	@$(BUILD)/mapbench run $(PROFILE)

report:
	@$(BUILD)/mapbench report

# make itself ends with 2 whenever a command fails: the exit code of the night is in the last line, and in nightly.json.
nightly: deps
	@$(MAKE) program
	@$(BUILD)/mapbench nightly $(NIGHTLY)

test: deps-test
	@$(MAKE) build
	@tests/run_all.sh $(BUILD)

clean:
	rm -rf $(BUILD)

# Last: it has prerequisites that are expanded twice.
include harness/pair/pair.mk
