/*
 * whoholds.h: tell whoholds what it can't see by itself.
 *
 * Include it and call; nothing has to be linked. Where the program runs under
 * `whoholds run` (or with libwhoholds.so preloaded) the calls go to the library;
 * elsewhere each costs a load and a compare. C and C++; every function may be called
 * from any thread, and none changes errno. Strings are copied.
 *
 * How it finds the library: through one weak symbol, taken from the global offset
 * table by hand. (A plain weak reference is made a constant 0 by the linker in programs that
 * are not position-independent.)
 */
#ifndef WHOHOLDS_H
#define WHOHOLDS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A point in time, from wh_now. */
typedef struct wh_mark {
	uint64_t at;
} wh_mark;

/* What the library offers, in the order in which it came to; `bytes` says how much of it there is. */
struct wh_library {
	size_t bytes;
	void (*iter_open)(const void *container, const void *iterator, const char *name);
	void (*iter_close)(const void *iterator);
	void (*acquired)(const char *kind, const void *handle, const char *name);
	void (*released)(const char *kind, const void *handle);
	void (*wait_begin)(const void *object, const char *name);
	void (*wait_end)(const void *object);
	void (*lock_acquired)(const void *lock, int shared);
	void (*lock_released)(const void *lock);
	void (*name)(const void *object, const char *name);
	wh_mark (*now)(void);
	size_t (*live_bytes_since)(wh_mark mark);
	int (*open_since)(wh_mark mark);
	void (*report)(const char *why);
	void (*container_changing)(const void *container);
	void (*iter_changing)(const void *iterator);
	void (*acquired_from)(const void *pool, const char *kind, const void *handle, const char *name);
	size_t (*lost_bytes_since)(wh_mark mark);
	void (*pool_alloc)(const void *block, size_t size);
	void (*pool_free)(const void *block);
	void (*pool_reset)(const void *memory, size_t size);
};

#ifndef WH_IN_LIBRARY

#define WH_INLINE_ static __inline__ __attribute__((always_inline, unused))

extern const struct wh_library wh_library __attribute__((weak));

/* The library; a null pointer where it is not there. */
WH_INLINE_ const struct wh_library *wh_library_(void)
{
#if defined(__x86_64__) && defined(__ELF__)
	const struct wh_library *library;
	__asm__(".weak wh_library\n\tmovq wh_library@GOTPCREL(%%rip), %0" : "=r"(library));
	return library;
#else
	return &wh_library;
#endif
}

/* Whether the library is there and has the function, which an older one may not. */
#define WH_HAS_(library, member) \
	((library) && (library)->bytes >= offsetof(struct wh_library, member) + sizeof((library)->member))

#define WH_CALL_(member, arguments) \
	const struct wh_library *library = wh_library_(); \
	if (WH_HAS_(library, member)) \
	(library->member) arguments

#define WH_RESULT_(member, arguments, otherwise) \
	const struct wh_library *library = wh_library_(); \
	if (WH_HAS_(library, member)) \
		return (library->member)arguments; \
	return otherwise

/* A name for something need not be initialised, which a compiler that sees through these functions does not know. */
#define WH_HIDE_(pointer) __asm__("" : "+r"(pointer))

/* -- iterators over a container: who iterates, since when, from where ------- */

/* `iterator` is any address that names it until wh_iter_close; `container` may be null. */
WH_INLINE_ void wh_iter_open(const void *container, const void *iterator, const char *name)
{
	WH_HIDE_(container);
	WH_HIDE_(iterator);
	WH_CALL_(iter_open, (container, iterator, name));
}

WH_INLINE_ void wh_iter_close(const void *iterator)
{
	WH_CALL_(iter_close, (iterator));
}

/*
 * Just before an insertion, a deletion or a rehash, with whatever lock the container has held: whoever iterates
 * over it at this moment, the calling thread included, is told of by the report (iterator-mutation).
 */
WH_INLINE_ void wh_container_changing(const void *container)
{
	WH_CALL_(container_changing, (container));
}

/*
 * The same for a change that `iterator` survives, such as deleting its current entry through it; other
 * iterators of its container don't.
 */
WH_INLINE_ void wh_iter_changing(const void *iterator)
{
	WH_CALL_(iter_changing, (iterator));
}

/* -- any other thing that is taken and must be given back ------------------ */

/* `kind` and `handle` together name it; `name` is for the report and may be null. */
WH_INLINE_ void wh_acquired(const char *kind, const void *handle, const char *name)
{
	WH_HIDE_(handle);
	WH_CALL_(acquired, (kind, handle, name));
}

/* The same for an entry of a pool, whose address names it; a thread that finds it empty says so by wh_wait_begin(pool, ...). */
WH_INLINE_ void wh_acquired_from(const void *pool, const char *kind, const void *handle, const char *name)
{
	WH_HIDE_(pool);
	WH_HIDE_(handle);
	WH_CALL_(acquired_from, (pool, kind, handle, name));
}

WH_INLINE_ void wh_released(const char *kind, const void *handle)
{
	WH_CALL_(released, (kind, handle));
}

/* -- hand-made locks and waits (spin words, futexes, lock-free queues) ------ */

/* Just before the thread blocks, and when it goes on; calls nest. `name` may be null. */
WH_INLINE_ void wh_wait_begin(const void *object, const char *name)
{
	WH_CALL_(wait_begin, (object, name));
}

WH_INLINE_ void wh_wait_end(const void *object)
{
	WH_CALL_(wait_end, (object));
}

/* Just after it was taken, and just before it is given back. */
WH_INLINE_ void wh_lock_acquired(const void *lock, int shared)
{
	WH_CALL_(lock_acquired, (lock, shared));
}

WH_INLINE_ void wh_lock_released(const void *lock)
{
	WH_CALL_(lock_released, (lock));
}

/* -- names ----------------------------------------------------------------- */

/* What reports call the lock, queue or container at this address. */
WH_INLINE_ void wh_name(const void *object, const char *name)
{
	WH_CALL_(name, (object, name));
}

/* -- memory handed out by a pool -------------------------------------------- */

/*
 * Before a pool of the program's own returns a block, and before anybody else can have one that is given back. Its blocks are then
 * allocations like any others: a block that nothing points to is lost although the pool's memory is not, and a second wh_pool_free of it is a
 * double-free. What they lie in may be malloc's, mapped, or an array; what of it was not handed out is the pool's.
 */
WH_INLINE_ void wh_pool_alloc(const void *block, size_t size)
{
	WH_HIDE_(block);
	WH_CALL_(pool_alloc, (block, size));
}

WH_INLINE_ void wh_pool_free(const void *block)
{
	WH_HIDE_(block);
	WH_CALL_(pool_free, (block));
}

/*
 * All blocks in that memory are given back at once: the pool is emptied, and keeps its memory. What a pool
 * gives back to malloc, or unmaps, needs no such call.
 */
WH_INLINE_ void wh_pool_reset(const void *memory, size_t size)
{
	WH_HIDE_(memory);
	WH_CALL_(pool_reset, (memory, size));
}

/* -- assertions for tests -------------------------------------------------- */

/* 1 where the library is preloaded. */
WH_INLINE_ int wh_active(void)
{
	return wh_library_() ? 1 : 0;
}

/* A mark: what is done from here on is told from what was done before. Costs next to nothing. */
WH_INLINE_ wh_mark wh_now(void)
{
	wh_mark none = { 0 };
	WH_RESULT_(now, (), none);
}

/* Bytes allocated by any thread since the mark and not freed yet; 0 where allocations are not tracked. */
WH_INLINE_ size_t wh_live_bytes_since(wh_mark mark)
{
	WH_RESULT_(live_bytes_since, (mark), 0);
}

/*
 * Of those, the bytes that nothing points to any more: no global, no stack, no register of any thread. The other threads are held
 * still meanwhile; it takes some milliseconds, and more in a large heap. 0 where that can't be judged (the kernel does not let
 * threads be held). What the caller's own variables still point to is not lost; nor is, now and then, what one that is out of use
 * happens to point to: make the call from another function than the one that is tested.
 */
WH_INLINE_ size_t wh_lost_bytes_since(wh_mark mark)
{
	WH_RESULT_(lost_bytes_since, (mark), 0);
}

/*
 * Locks, iterators and other resources that this thread, or any that it made, has taken
 * since the mark and not given back.
 */
WH_INLINE_ int wh_open_since(wh_mark mark)
{
	WH_RESULT_(open_since, (mark), 0);
}

/* A report now, of every thread; `why`, which may be null, stands in its heading. Returns when it is written, or after 5 s. */
WH_INLINE_ void wh_report(const char *why)
{
	WH_CALL_(report, (why));
}

#endif /* WH_IN_LIBRARY */

#ifdef __cplusplus
}
#endif

#endif
