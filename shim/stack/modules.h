/*
 * The ELF files that are mapped: where they lie and where their unwind tables are.
 * Each is written to REC_MODULES the first time that it is seen.
 *
 * A module is found by address through _dl_find_object (glibc 2.35 and later),
 * which takes no lock. Elsewhere the modules that dl_iterate_phdr showed at start and at
 * each dlopen are searched. What was found stays in a table of slots keyed by the
 * start of the mapping:
 *
 *   EMPTY ──▶ FILLING ──▶ READY ──▶ RETIRED ──▶ FILLING (the next module at that address) ...
 *
 * Whoever moves a slot to FILLING by compare-and-swap fills it alone, and readers
 * use it in READY alone; somebody who needs a module while it is being filled
 * reads the ELF header himself instead of waiting.
 *
 * Epochs: retiring a module raises the epoch, so that what was captured before
 * is never looked up in the module that takes its place.
 */
#ifndef WH_STACK_MODULES_H
#define WH_STACK_MODULES_H

#include "base/context.h"
#include "base/types.h"

#define MODULE_PARTS 8u

struct module {
	uint64_t start, end; /* of the mapping, page boundaries */
	uint64_t bias;       /* run-time address minus the file's own */
	uint64_t entry;      /* where its execution starts, run-time address; 0: it is a library */
	uint64_t unwind;     /* .eh_frame_hdr, run-time address; 0: none */
	uint32_t part_count;
	struct module_part {
		uint64_t low, high; /* run-time addresses */
	} parts[MODULE_PARTS];      /* what of it is mapped readable */
};

/* The module that `address` lies in, copied out. Return: false: none is known. Context: hook. */
bool module_find(uint64_t address, struct module *ret_module);

/*
 * The same, but a module that nobody has seen before is not found: its headers would have to be read in
 * place, and nothing says that it stays mapped meanwhile. Context: hook.
 */
bool module_find_known(uint64_t address, struct module *ret_module);

/*
 * The modules that are known now and may be unloaded, one a call: *at is 0 at first. Not the program, libc, the loader and ourselves. Return:
 * false: no more. Context: hook.
 */
bool module_next(uint32_t *at, struct module *ret_module);

/* The same of the places that modules went from since the epoch `since`; places that were forgotten are left out. Context: hook. */
bool module_gone_next(uint32_t since, uint32_t *at, uint64_t *ret_start, uint64_t *ret_end);

/* Whether `bytes` bytes from `address` are mapped readable as part of the module. Context: signal. */
bool module_covers(const struct module *module, uint64_t address, uint64_t bytes);

/* The epoch now; it only goes up. Context: signal. */
uint32_t modules_epoch(void);

/*
 * Whether no module that holds one of the `count` addresses went away since `epoch`, so that they mean
 * now what they meant then. May say no where it has forgotten. Context: hook.
 */
bool modules_same_since(uint32_t epoch, const uint64_t *addresses, uint32_t count);

/*
 * Looks at all modules: new ones are recorded, missing ones retired. Takes the loader's lock.
 * Context: hook, where a call of dlopen or dlclose has returned; init.
 */
void modules_scan(void);

/* What else is to be done when modules_scan has looked, in the same context; NULL: nothing. Set at init. */
extern void (*modules_scanned)(void);

/* Retires what _dl_find_object does not know any more: also what libc unloaded by itself. Context: reporter. */
void modules_check(void);

/* In a fork child: the same modules, a new recording, no other thread. Context: hook. */
void modules_fork_child(void);

#endif
