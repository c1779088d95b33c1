#include "platform/unforked.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/context.h"
#include "platform/lock.h"
#include "platform/sys.h"

#define RANGES_MOST 1024u
/* It is copied while the program stands still. */
#define BYTES_MOST ((uint64_t)64 << 20)
#define PAGE ((uint64_t)4096)

struct range_of_program {
	uint64_t start, bytes;
};

static struct lock noting;
static struct range_of_program ranges[RANGES_MOST];
static uint32_t range_count; /* those that are complete */
static bool incomplete;      /* some found no room */

static bool is_noted(uint64_t start, uint64_t bytes)
{
	for (uint32_t i = 0; i < range_count; i++)
		if (start >= ranges[i].start && start + bytes <= ranges[i].start + ranges[i].bytes)
			return true;
	return false;
}

void unforked_note(uint64_t start, uint64_t bytes, int advice)
{
	if (advice != MADV_DONTFORK && advice != MADV_WIPEONFORK)
		return;
	bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
	if (!lock_take(&noting)) {
		__atomic_store_n(&incomplete, true, __ATOMIC_RELAXED);
		return;
	}
	if (!is_noted(start, bytes) && range_count < RANGES_MOST) {
		ranges[range_count] = (struct range_of_program){ start, bytes };
		__atomic_store_n(&range_count, range_count + 1, __ATOMIC_RELEASE);
	} else if (range_count == RANGES_MOST) {
		__atomic_store_n(&incomplete, true, __ATOMIC_RELAXED);
	}
	lock_release(&noting);
}

void unforked_fork_child(void)
{
	noting.word = 0;
}

/* By the kernel, since the place may be gone. Return: bytes. */
static uint64_t copy_page(uint64_t to, uint64_t from)
{
	struct iovec into = { (void *)to, PAGE }, of = { (void *)from, PAGE };
	long got = sys_call6(SYS_process_vm_readv, sys_pid(), (long)&into, 1, (long)&of, 1, 0);
	return got == (long)PAGE ? PAGE : 0;
}

/* In front of each page that was copied: where it was. */
#define SLOT (PAGE + sizeof(uint64_t))

int unforked_save(struct unforked *unforked)
{
	uint32_t count = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
	uint64_t pages = 0, used = 0;
	*unforked = (struct unforked){ 0 };
	for (uint32_t i = 0; i < count; i++)
		pages += ranges[i].bytes / PAGE;
	if (__atomic_load_n(&incomplete, __ATOMIC_RELAXED) || pages * PAGE > BYTES_MOST)
		return -E2BIG;
	if (!pages)
		return 0;
	char *copies = sys_pages_lazy((pages + 1) * SLOT);
	if (!copies)
		return -E2BIG;
	unforked->copies = copies;
	unforked->bytes = (pages + 1) * SLOT;
	for (uint32_t i = 0; i < count; i++)
		for (uint64_t at = 0; at < ranges[i].bytes; at += PAGE) {
			char *slot = copies + used * SLOT;
			if (!copy_page((uint64_t)slot + sizeof(uint64_t), ranges[i].start + at))
				continue;
			*(uint64_t *)slot = ranges[i].start + at;
			used++;
		}
	return 0;
}

void unforked_release(struct unforked *unforked)
{
	if (unforked->copies)
		sys_pages_free(unforked->copies, unforked->bytes);
	*unforked = (struct unforked){ 0 };
}

void unforked_restore(const struct unforked *unforked)
{
	for (uint64_t at = 0; at + SLOT <= unforked->bytes; at += SLOT) {
		const char *slot = (const char *)unforked->copies + at;
		uint64_t place = *(const uint64_t *)slot;
		if (!place)
			return;
		long got = sys_call6(SYS_mmap, (long)place, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		const uint64_t *from = (const uint64_t *)(slot + sizeof(uint64_t));
		for (uint64_t word = 0; got == (long)place && word < PAGE / sizeof *from; word++)
			((uint64_t *)place)[word] = from[word];
	}
}
