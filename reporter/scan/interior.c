#include "reporter/scan/interior.h"

#include <errno.h>

#include "options.h"
#include "reporter/scan/links.h"
#include "reporter/scan/roots.h"
#include "reporter/scan/usual.h"

static void set_flags(struct blocks *blocks, uint32_t number, unsigned off, unsigned on)
{
	blocks->flags[number] = (uint8_t)((blocks->flags[number] & ~off) | on);
}

void interior_note_lost(struct blocks *blocks)
{
	for (uint32_t number = 0; number < blocks->count; number++)
		set_flags(blocks, number, BLOCK_LEFT_OUT,
			  blocks_flags(blocks, number) & BLOCK_REACHED ? 0 : BLOCK_LEFT_OUT);
}

/* As before the first marking; what is lost counts as done with. */
static void begin_anew(struct blocks *blocks)
{
	const unsigned done = BLOCK_REACHED | BLOCK_READ;
	for (uint32_t number = 0; number < blocks->count; number++)
		set_flags(blocks, number, done, blocks_flags(blocks, number) & BLOCK_LEFT_OUT ? done : 0);
}

/* What is open is told as such, or not at all. */
static void mark_resources(struct mark *mark)
{
	for (struct block_walk walk = { 0 }; blocks_next(mark->blocks, &walk) && !mark->expired;)
		if (blocks_flags(mark->blocks, walk.number) & BLOCK_RESOURCE)
			mark_word(mark, walk.start);
	mark_run(mark);
}

int interior_mark(struct image *image)
{
	struct mark mark;
	int error = mark_init(&mark, &image->blocks, image->deadline);
	if (error)
		return error;
	begin_anew(&image->blocks);
	mark.mask = options.pointer_mask;
	mark.exclusive = options.pointer_xor;
	mark.accepts = usual_middle;
	mark.accepts_data = &image->maps;
	/* Whoever is an orphan, what it has was noted as lost; and every mapping is somebody's. */
	image->orphans = NULL;
	image->extents = NULL;
	error = roots_mark(image, &mark);
	if (!error) {
		mark_resources(&mark);
		links_mark(&mark);
	}
	if (!error && mark.expired)
		error = -ETIMEDOUT;
	mark_release(&mark);
	return error;
}
