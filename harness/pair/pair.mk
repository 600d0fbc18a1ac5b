# Units as shared objects, two of which are measured against each other in one process (harness/pair/pair.h). Included by the
# Makefile, whose variables it uses.
#   make pair-units UNITS="MAP-SHAPE-HASH-HEAP ..." [PAD=BYTES]
# links $(BUILD)/pair/NAME.so from the object that the program has. With PAD, a multiple of 64, NAME-padBYTES.so: the same
# code, moved by so many bytes. Nothing else of the program is built.
UNITS ?=#                   what pair-units links
PAD ?=#                     bytes in front of the code
UNITS := $(strip $(UNITS))
PAD := $(strip $(PAD))
pair := $(BUILD)/pair
pair_suffix := $(if $(PAD),-pad$(PAD))
# Heaps that keep all their state in themselves come with the unit, in the version that it was compiled for. Boehm's collector
# is one for the process, and stays in the program.
pair_heap_arena := harness/heaps/arena_heap.c
pair_heap_refcount := harness/heaps/refcount_heap.c
pair_heap_gosim := harness/heaps/gosim_own.c $(wildcard harness/heaps/gosim/*.c)

# Third-party code may name variables of its library, or of the C library, which takes -fPIC in a shared object.
# $(1) to $(6) as for unit_rule, $(7) the unit's name
define pair_rule
pair_known += $(7)
$(pair)/$(7)$(pair_suffix).so: $(if $(PAD),$(pair)/pad$(PAD).o) \
  $(if $(filter maps/adapters/%,$(3)),$(pair)/$(7).o,$(BUILD)/units/$(7).o) $(patsubst %.c,$(pair)/%.o,$(pair_heap_$(6))) | $(pair)/export.map
	@echo "  link $$@"
	@$(CXX) $(HARNESS_FLAGS) -shared -Wl,-z,now -Wl,--version-script=$(pair)/export.map $$^ -o $$@
$(pair)/$(7).o: harness/unit/map_unit.c $(gen)/flags
	@echo "  unit $(1) $(4) $(5) $(6) (-fPIC)"
	@$(call unit_compile,$(1),$(2),$(3),$(4),$(5),$(6),-fPIC)
endef
pair_known :=
pair_name = $(word 1,$(1))-$(word 4,$(1))-$(word 5,$(1))-$(word 6,$(1))
pair_eval = $(eval $(call pair_rule,$(word 1,$(1)),$(word 2,$(1)),$(word 3,$(1)),$(word 4,$(1)),$(word 5,$(1)),$(word 6,$(1)),$(pair_name)))
$(if $(UNITS),$(foreach u,$(units),$(if $(filter $(UNITS),$(call pair_name,$(call split,$(u)))),$(call pair_eval,$(call split,$(u))))))

$(pair)/harness/%.o: harness/%.c $(gen)/flags
	@mkdir -p $(@D)
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) -fPIC $(INCLUDES) -MMD -MP -c $< -o $@

# Comes first in the link, and so lies in front of the unit's code: the linker keeps the order of its arguments.
$(pair)/pad%.o: harness/pair/pair.mk
	@echo '.text; .p2align 6; .skip $*, 0x90; .section .note.GNU-stack,"",%progbits' | $(CC) -x assembler -c - -o $@

# Only the unit's table can be seen from outside. What C++ shares between objects - instances of templates, statics of
# inline functions - would otherwise be taken from whichever object has it first, and both variants run the same code.
$(pair)/export.map: harness/pair/pair.mk
	@echo '{ global: unit_*; local: *; };' > $@

.PHONY: pair-units pair-units-check
pair-units-check:
	@[[ -n '$(UNITS)' ]] || { echo 'pair-units: which? make pair-units UNITS="MAP-SHAPE-HASH-HEAP ...", for instance linear-u64_u64-common-malloc' >&2; exit 2; }
	@[[ -z '$(PAD)' || ( '$(PAD)' =~ ^[0-9]{1,7}$$ && $$((10#0$(PAD) % 64)) == 0 ) ]] || { echo 'pair-units: PAD is $(PAD), must be a multiple of 64 bytes' >&2; exit 2; }
	@$(if $(filter-out $(pair_known),$(UNITS)),echo '$(units)' | tr ' ' '\n' | awk -F: '{ print $$1 "-" $$4 "-" $$5 "-" $$6 }' | \
	  awk -f harness/base/nearest.awk -v what=pair-units -v 'names=$(filter-out $(pair_known),$(UNITS))' >&2; exit 2)
pair-units: pair-units-check
	@mkdir -p $(pair)
	@$(MAKE) -j$(JOBS) $(foreach u,$(UNITS),$(pair)/$(u)$(pair_suffix).so)

-include $(wildcard $(pair)/*.d $(pair)/harness/heaps/*.d $(pair)/harness/heaps/gosim/*.d)
