# Units as shared objects that bring their heap, two of which are measured against each other in one process
# (harness/pair/pair.h). Included by the Makefile, whose variables it uses.
#   make pair-units UNITS="MAP-SHAPE-HASH-HEAP ..." [PAD=BYTES]
# links $(BUILD)/pair/NAME.so from the object that the program loads. With PAD, a multiple of 64, NAME-padBYTES.so: the same
# code, moved by so many bytes. Nothing else of the program is built.
PAD ?=#                     bytes in front of the code
PAD := $(strip $(PAD))
pair := $(BUILD)/pair
pair_suffix := $(if $(PAD),-pad$(PAD))
# Heaps that keep all their state in themselves come with the unit, in the version that it was compiled for. Boehm's collector
# is one for the process, and stays in the program.
pair_heap_arena := harness/heaps/arena_heap.c
pair_heap_refcount := harness/heaps/refcount_heap.c
pair_heap_gosim := harness/heaps/gosim_own.c $(wildcard harness/heaps/gosim/*.c)
pair_heap_of = $(patsubst %.c,$(pair)/%.o,$(pair_heap_$(call heap_of,$(unit_$(1)))))

$(pair)/harness/%.o: harness/%.c $(gen)/flags
	@mkdir -p $(@D)
	@$(CC) $(C_STD) $(WARN) $(HARNESS_FLAGS) -fPIC $(INCLUDES) -MMD -MP -c $< -o $@

# Comes first in the link, and so lies in front of the unit's code: the linker keeps the order of its arguments.
$(pair)/pad%.o: harness/pair/pair.mk
	@mkdir -p $(@D)
	@echo '.text; .p2align 6; .skip $*, 0x90; .section .note.GNU-stack,"",%progbits' | $(CC) -x assembler -c - -o $@

.PHONY: pair-units pair-units-check
pair-units-check:
	@[[ -n '$(UNITS)' ]] || { echo 'pair-units: which? make pair-units UNITS="MAP-SHAPE-HASH-HEAP ...", for instance linear-u64_u64-common-malloc' >&2; exit 2; }
	@[[ -z '$(PAD)' || ( '$(PAD)' =~ ^[0-9]{1,7}$$ && $$((10#0$(PAD) % 64)) == 0 ) ]] || { echo 'pair-units: PAD is $(PAD), must be a multiple of 64 bytes' >&2; exit 2; }
	@$(if $(filter-out $(all_units),$(UNITS)),printf '%s\n' $(all_units) | \
	  awk -f harness/base/nearest.awk -v what=pair-units -v 'names=$(filter-out $(all_units),$(UNITS))' >&2; exit 2)
pair-units: pair-units-check
	@mkdir -p $(pair)
	@$(MAKE) -j$(JOBS) $(UNITS:%=$(pair)/%$(pair_suffix).so)

-include $(wildcard $(pair)/harness/heaps/*.d $(pair)/harness/heaps/gosim/*.d)

.SECONDEXPANSION:
$(UNITS:%=$(pair)/%$(pair_suffix).so): $(pair)/%$(pair_suffix).so: $(if $(PAD),$(pair)/pad$(PAD).o) $(BUILD)/units/%.o \
  $$(call pair_heap_of,$$*) $(gen)/export.map
	@echo "  link $@"
	@harness/unit/compile.sh $@ $(call link_unit,$(unit_$*),$(filter %.o,$^))
