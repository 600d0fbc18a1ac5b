# The test programs: tests/test_*.c, each with a main of its own, linked with everything but the command line. Included
# by the Makefile, whose variables it uses. `make build-tests` builds them; tests/run_all.sh does, and runs them.
# tests/compat: what differs between versions of cmocka.
test_includes = -Itests/compat $(INCLUDES)
test_programs := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

# An archive, so that a test links only what it uses, and may replace a module by including its source file. The heaps, which
# the units it loads call, are linked whole.
heap_objects := $(filter $(BUILD)/harness/heaps/%,$(harness_objects))
$(BUILD)/libmapbench.a: $(filter-out $(heap_objects),$(library_objects))
	@rm -f $@; $(AR) rcsT $@ $^

$(BUILD)/tests/%.o: tests/%.c $(gen)/flags tests/test.mk | $(gen)/units.def $(gen)/maps.def $(gen)/build_info.h
	@echo "  cc $<"
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) $(test_includes) -MMD -MP -c $< -o $@
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(heap_objects) $(BUILD)/libmapbench.a
	@$(CXX) $(HARNESS_FLAGS) -rdynamic $^ $(LIBS) -lcmocka -o $@

# What run_all.sh runs every test under.
$(BUILD)/tests/within: tests/support/within.c tests/test.mk
	@$(CC) $(C_STD) $(WARN) -O1 $< -o $@

# --- the collecting heap's speed; no test, for it takes a quiet machine -----------------------------------------
bench_gosim_objects := $(patsubst %.c,$(BUILD)/%.o,$(wildcard harness/heaps/gosim/*.c) harness/retention/snapshot/dominators.c)
$(BUILD)/tests/bench_gosim: $(BUILD)/tests/bench_gosim.o $(bench_gosim_objects)
	@$(CC) $(HARNESS_FLAGS) $^ -ljansson -o $@

.PHONY: bench-gosim
# The allocator, the marker and the dominators against their targets, and against real Go where its engine is built.
bench-gosim: $(BUILD)/tests/bench_gosim $(engine_programs)
	@$(BUILD)/tests/bench_gosim $(if $(STRICT),--strict) $(foreach e,$(filter-out %-classic,$(engine_programs)),"$(e)")

-include $(BUILD)/tests/bench_gosim.d

.PHONY: bench-compare
# compare's rates of false alarms and of planted slowdowns found, with real processes.
bench-compare: build
	@for python in $${MAPBENCH_PYTHON:-python3} /usr/bin/python3; do "$$python" -c 'import scipy' 2>/dev/null && break; done; \
	  PYTHONPATH=tests/support "$$python" -B tests/trial_compare.py --build $(BUILD) $(TRIAL)

.PHONY: bench-gate
# The counting gate against its promises, with a change planted into every map: minutes.
bench-gate:
	@$(MAKE) build
	@tests/trial_gate.sh $(BUILD)

# --- the same sources read by clang, every warning an error -----------------------------------------------------
CLANG ?= clang
# WARN is for CC and may name warnings that clang does not know.
clang_flags := -fsyntax-only -Werror $(C_STD) $(WARN) -Wno-unknown-warning-option -O2
clang_stamps := $(patsubst %.c,$(BUILD)/clang/%.ok,$(main_sources) harness/preload/memcount.c $(wildcard tests/*.c tests/support/*.c tests/mutants/*.c))

$(BUILD)/clang/%.ok: %.c Makefile tests/test.mk | $(gen)/units.def $(gen)/maps.def $(gen)/build_info.h
	@mkdir -p $(@D)
	@$(CLANG) $(clang_flags) $(test_includes) -MMD -MP -MF $(@:.ok=.d) -MT $@ $< && touch $@

# The maps in C, as units: those that bring a map together with a shape, a heap or a hash for the first time.
clang_units := $(shell echo $(foreach u,$(all_units),$(if $(filter c,$(call language_of,$(unit_$u))),$u)) | tr ' ' '\n' | \
  awk -F- '{ if (!seen[$$1, $$2]++ + !seen[$$1, $$3]++ + !seen[$$1, $$4]++) print }')
clang_stamps += $(clang_units:%=$(BUILD)/clang/units/%.ok)
$(BUILD)/clang/units/%.ok: harness/unit/map_unit.c Makefile tests/test.mk $(gen)/units.mk
	@mkdir -p $(@D)
	@$(CLANG) $(clang_flags) -Wno-unused-function $(INCLUDES) -MMD -MP -MF $(@:.ok=.d) -MT $@ $(call unit_defines,$(unit_$*)) $< && touch $@

.PHONY: build-tests clang-check
build-tests: $(BUILD)/tests/within $(test_programs) $(if $(SANITIZE),,$(BUILD)/libmemcount.so)
clang-check: $(clang_stamps)

-include $(patsubst %,%.d,$(test_programs)) $(clang_stamps:.ok=.d)
