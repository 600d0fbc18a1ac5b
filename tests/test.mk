# The test programs: tests/test_*.c, each with a main of its own, linked with everything but the command line. Included
# by the Makefile, whose variables it uses. `make build-tests` builds them; tests/run_all.sh does, and runs them.
# tests/compat: what differs between versions of cmocka.
test_includes = -Itests/compat $(INCLUDES)
test_programs := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

# An archive, so that a test links only what it uses, and may replace a module by including its source file.
$(BUILD)/libmapbench.a: $(library_objects) $(unit_objects)
	@rm -f $@; $(AR) rcsT $@ $^

$(BUILD)/tests/%.o: tests/%.c $(gen)/flags tests/test.mk | $(gen)/units.def $(gen)/retention_units.def $(gen)/build_info.h
	@echo "  cc $<"
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) $(test_includes) -MMD -MP -c $< -o $@
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libmapbench.a
	@$(CXX) $(HARNESS_FLAGS) -rdynamic $^ $(LIBS) -lcmocka -o $@

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
	  "$$python" -B tests/trial_compare.py --build $(BUILD) $(TRIAL)

.PHONY: bench-gate
# The counting gate against its promises, with a change planted into every map: minutes.
bench-gate:
	@$(MAKE) build
	@tests/trial_gate.sh $(BUILD)

# --- the same sources read by clang, every warning an error -----------------------------------------------------
CLANG ?= clang
# WARN is for CC and may name warnings that clang does not know.
clang_flags := -fsyntax-only -Werror $(C_STD) $(WARN) -Wno-unknown-warning-option -O2
clang_stamps := $(patsubst %.c,$(BUILD)/clang/%.ok,$(main_sources) harness/preload/memcount.c $(wildcard tests/*.c tests/mutants/*.c))

$(BUILD)/clang/%.ok: %.c Makefile tests/test.mk | $(gen)/units.def $(gen)/retention_units.def $(gen)/build_info.h
	@mkdir -p $(@D)
	@$(CLANG) $(clang_flags) $(test_includes) -MMD -MP -MF $(@:.ok=.d) -MT $@ $< && touch $@

# As unit_rule, for the maps in C.
define clang_unit_rule
clang_stamps += $(BUILD)/clang/$(1)-$(4)-$(5)-$(6).ok
$(BUILD)/clang/$(1)-$(4)-$(5)-$(6).ok: harness/unit/map_unit.c Makefile tests/test.mk
	@mkdir -p $$(@D)
	@$(CLANG) $(clang_flags) -Wno-unused-function $(INCLUDES) -MMD -MP -MF $$(@:.ok=.d) -MT $$@ \
	  -DUNIT_SYMBOL=unit -DUNIT_MAP='"$(1)"' -DUNIT_MAP_FILE='"$(3)"' -DUNIT_SHAPE_FILE='"harness/shapes/$(4).h"' \
	  -DUNIT_HEAP_FILE='"harness/heaps/$(6).h"' -DUNIT_HASH='"$(5)"' -DUNIT_HASH_$(5) $$< && touch $$@
endef
$(foreach u,$(units),$(if $(filter c,$(word 2,$(call split,$(u)))),$(eval $(call clang_unit_rule,$(word 1,$(call split,$(u))),$(word 2,$(call split,$(u))),$(word 3,$(call split,$(u))),$(word 4,$(call split,$(u))),$(word 5,$(call split,$(u))),$(word 6,$(call split,$(u)))))))

.PHONY: build-tests clang-check
build-tests: $(test_programs) $(if $(SANITIZE),,$(BUILD)/libmemcount.so)
clang-check: $(clang_stamps)

-include $(patsubst %,%.d,$(test_programs)) $(clang_stamps:.ok=.d)
