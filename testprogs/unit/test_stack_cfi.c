/*
 * The reader of unwind tables: expressions by hand, and tables with random damage, which must not make it
 * read anywhere else (the sanitized build sees to that) nor go on for ever.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/cfi.h"
#include "stack/expression.h"
#include "stack/rules.h"

#include "testprogs/unit/suite.h"

__thread struct self_state self TLS_IE;

/* -- expressions -------------------------------------------------------------- */

static bool run(const uint8_t *code, size_t bytes, const struct registers *registers,
		struct expression_value *ret_value)
{
	struct cfi_place place = { .how = CFI_IS_EXPRESSION,
				   .bytes = (uint32_t)bytes,
				   .value = (intptr_t)code };
	struct reach reach = REACH_NOWHERE;
	return expression_run(&place, registers, NULL, &reach, ret_value);
}

#define RUN(registers, ret_value, ...) \
	run((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), registers, ret_value)

START_TEST(expressions_over_unknown_registers)
{
	struct registers none = { 0 };
	struct expression_value value;
	/* breg6 -8; deref: the CFA of a function that realigned its stack */
	ck_assert(RUN(&none, &value, 0x76, 0x78, 0x06));
	ck_assert_int_eq(value.kind, EXPRESSION_LOADED);
	ck_assert_int_eq(value.reg, CFI_RBP);
	ck_assert_int_eq((int64_t)value.inner, -8);
	ck_assert_int_eq((int64_t)value.add, 0);
	/* breg7 +16; plus_uconst 8 */
	ck_assert(RUN(&none, &value, 0x77, 16, 0x23, 8));
	ck_assert_int_eq(value.kind, EXPRESSION_SUM);
	ck_assert_int_eq((int64_t)value.add, 24);
	/* breg7 0; lit3; mul: more than can be said */
	ck_assert(!RUN(&none, &value, 0x77, 0, 0x33, 0x1e));
}
END_TEST

START_TEST(plt_expression_by_pc)
{
	/* breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus */
	static const uint8_t plt[] = { 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };
	for (uint64_t pc = 0x1000; pc < 0x1010; pc++) {
		struct registers registers = { .known = 1u << CFI_RIP };
		struct expression_value value;
		registers.values[CFI_RIP] = pc;
		ck_assert(run(plt, sizeof plt, &registers, &value));
		ck_assert_int_eq(value.kind, EXPRESSION_SUM);
		ck_assert_uint_eq(value.add, pc % 16 >= 11 ? 16 : 8);
	}
}
END_TEST

START_TEST(expressions_with_memory_and_jumps)
{
	uint64_t words[2] = { 0x1122334455667788, 41 };
	struct registers registers = { .known = 1u << CFI_RAX };
	struct expression_value value;
	registers.values[CFI_RAX] = (uintptr_t)words;
	/* breg0 8; deref; lit1; plus */
	ck_assert(RUN(&registers, &value, 0x70, 8, 0x06, 0x31, 0x22));
	ck_assert_uint_eq(value.add, 42);
	/* breg0 2; deref_size 2 */
	ck_assert(RUN(&registers, &value, 0x70, 2, 0x94, 2));
	ck_assert_uint_eq(value.add, 0x5566);
	/* lit5; bra +1; nop; lit7; swap */
	ck_assert(RUN(&registers, &value, 0x35, 0x31, 0x28, 1, 0, 0x96, 0x37));
	ck_assert_uint_eq(value.add, 7);
	/* skip -3: round and round */
	ck_assert(!RUN(&registers, &value, 0x2f, 0xfd, 0xff));
	/* nothing on the stack; a division by zero; an unknown operation */
	ck_assert(!RUN(&registers, &value, 0x22));
	ck_assert(!RUN(&registers, &value, 0x31, 0x30, 0x1b));
	ck_assert(!RUN(&registers, &value, 0x31, 0x05));
	/* breg0 8 with its offset cut off; memory that is not there, which valgrind calls an error of ours to ask about */
	ck_assert(!RUN(&registers, &value, 0x70, 0x88));
	registers.values[CFI_RAX] = 8;
	if (!getenv("LD_PRELOAD") || !strstr(getenv("LD_PRELOAD"), "vgpreload"))
		ck_assert(!RUN(&registers, &value, 0x70, 0, 0x06));
}
END_TEST

/* -- damage ------------------------------------------------------------------- */

static uint64_t random_state = 1442695040888963407u;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A module whose tables are a copy of `of`'s in a block of just their size. */
static uint8_t *copy_tables(const struct module *of, struct module *ret_copy, uint64_t *ret_shift)
{
	for (uint32_t i = 0; i < of->part_count; i++) {
		uint64_t low = of->parts[i].low, bytes = of->parts[i].high - low;
		if (of->unwind < low || of->unwind >= of->parts[i].high)
			continue;
		uint8_t *copy = malloc(bytes);
		ck_assert(memory_copy(copy, low,
				      bytes)); /* past the sanitizer, which guards the strings in there */
		*ret_shift = (uintptr_t)copy - low;
		*ret_copy = *of;
		ret_copy->part_count = 1;
		ret_copy->parts[0] = (struct module_part){ (uintptr_t)copy, (uintptr_t)copy + bytes };
		ret_copy->unwind = of->unwind + *ret_shift;
		return copy;
	}
	return NULL;
}

static void use_row(struct cfi *cfi)
{
	struct registers registers = { .known = 0x1ffff };
	struct expression_value value;
	for (int i = 0; i < CFI_REGISTERS; i++)
		registers.values[i] = (uintptr_t)&registers;
	for (int i = 0; i < CFI_REGISTERS; i++)
		if (cfi->row.registers[i].how >= CFI_AT_EXPRESSION)
			expression_run(&cfi->row.registers[i], &registers, &registers.values[CFI_RSP], NULL,
				       &value);
	if (cfi->row.cfa.how == CFI_IS_EXPRESSION)
		expression_run(&cfi->row.cfa, &registers, NULL, NULL, &value);
}

static void *const places[] = { (void *)qsort, (void *)dlopen, (void *)cfi_find };

START_TEST(undamaged_copies_say_the_same)
{
	static struct cfi real, copied;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct module module;
		uint64_t shift;
		ck_assert(module_find((uintptr_t)places[i], &module));
		uint8_t *copy = copy_tables(&module, &copied.module, &shift);
		ck_assert_ptr_nonnull(copy);
		unsigned found = 0;
		for (int n = 0; n < 2000; n++) {
			uint64_t pc = (uintptr_t)places[i] + random_next() % 20000;
			int error = cfi_find(&real, pc, true);
			if (error == -ENOENT)
				continue;
			ck_assert_int_eq(cfi_find_in(&copied, pc + shift, true), error);
			if (error)
				continue;
			found++;
			ck_assert_int_eq(real.row.cfa.how, copied.row.cfa.how);
			ck_assert_int_eq(real.row.cfa.reg, copied.row.cfa.reg);
			if (real.row.cfa.how == CFI_IS)
				ck_assert_int_eq(real.row.cfa.value, copied.row.cfa.value);
		}
		ck_assert_uint_gt(found, 1000);
		free(copy);
	}
}
END_TEST

START_TEST(damaged_tables)
{
	static struct cfi cfi;
	unsigned good = 0, bad = 0;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct module module;
		uint64_t shift;
		ck_assert(module_find((uintptr_t)places[i], &module));
		for (int round = 0; round < 12; round++) {
			uint8_t *copy = copy_tables(&module, &cfi.module, &shift);
			uint64_t bytes = cfi.module.parts[0].high - cfi.module.parts[0].low;
			uint64_t from = cfi.module.unwind - cfi.module.parts[0].low;
			/* Some rounds in the table or right behind it, the others all over the place. */
			for (uint64_t n = bytes / 50; n; n--)
				copy[round % 3 ? from + random_next() % (bytes - from)
					       : random_next() % bytes] = (uint8_t)random_next();
			if (round % 4 == 0)
				memcpy(copy + from, (const uint8_t[]){ 1, 0x1b, 0xff, 0xff },
				       4); /* no table: search all */
			else
				memcpy(copy + from, (const void *)module.unwind, 4);
			for (int n = 0; n < (round % 4 ? 4000 : 20); n++) {
				uint64_t pc = (uintptr_t)places[i] + shift + random_next() % 200000;
				if (cfi_find_in(&cfi, pc, random_next() & 1) == 0) {
					use_row(&cfi);
					good++;
				} else {
					bad++;
				}
			}
			free(copy);
		}
	}
	ck_assert_uint_gt(good, 1000);
	ck_assert_uint_gt(bad, 1000);
}
END_TEST

/* -- rules -------------------------------------------------------------------- */

/* More addresses than the first table holds: all are kept, and say what the tables say. */
START_TEST(rules_of_many_addresses)
{
	static struct cfi cfi;
	unsigned kept = 0, all = 0;
	for (uint64_t offset = 0; offset < 300000; offset += 7) {
		uint64_t pc = (uintptr_t)qsort + offset;
		rule_bits rule = rules_learn(&cfi, pc, false);
		ck_assert_uint_ne(rule, RULE_NONE);
		if (!cfi.module.end)
			break;
		all++;
		ck_assert_uint_eq(rules_find(pc, false), rule);
	}
	ck_assert_uint_gt(all, 10000);
	for (uint64_t offset = 0; offset < 300000; offset += 7)
		kept += rules_find((uintptr_t)qsort + offset, false) != RULE_NONE;
	ck_assert_uint_ge(kept, all);
	rules_forget((uintptr_t)qsort, (uintptr_t)qsort + 300000);
	for (uint64_t offset = 0; offset < 300000; offset += 7)
		ck_assert_uint_eq(rules_find((uintptr_t)qsort + offset, false), RULE_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stack cfi");
	TCase *tcase = tcase_create("cfi");
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, expressions_over_unknown_registers);
	tcase_add_test(tcase, plt_expression_by_pc);
	tcase_add_test(tcase, expressions_with_memory_and_jumps);
	tcase_add_test(tcase, undamaged_copies_say_the_same);
	tcase_add_test(tcase, damaged_tables);
	tcase_add_test(tcase, rules_of_many_addresses);
	return suite_run(suite) != 0;
}
