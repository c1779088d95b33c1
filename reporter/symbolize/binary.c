#include "reporter/symbolize/binary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/text.h"

#define COMPRESSED_ZSTD 2u /* ELFCOMPRESS_ZSTD, which older headers lack */

static void note_put(struct binary *binary, const char *note)
{
	if (!binary->note && note[0])
		binary->note = names_keep(binary->names, note);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* -- opening ----------------------------------------------------------------- */

static bool servers_named(void)
{
	const char *servers = getenv("DEBUGINFOD_URLS");
	return servers && *servers;
}

/*
 * Called by libdwfl for a file without debugging information. Its own dwfl_standard_find_debuginfo looks in the
 * same places, but loads the debuginfod client (and curl, and a TLS library: 13 ms) also where no server is named.
 * A link without a checksum is the common file of several debug files (dwz), which has a build-id of its own.
 */
static int find_debug(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *file,
		      const char *link, GElf_Word crc, char **ret_path)
{
	struct binary *binary = *data;
	char path[LOCATE_PATH_BYTES];
	int fd = -ENOENT;
	if (link && !crc)
		return dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, ret_path);
	if (binary)
		fd = locate_debug(&binary->wanted, file ? file : binary->path, link, crc, path);
	if (fd >= 0)
		*ret_path = strdup(path);
	else if (servers_named())
		fd = dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, ret_path);
	return fd < 0 ? -1 : fd;
}

static struct binary *binary_new(const struct wanted *wanted, struct names *names)
{
	struct binary *binary = calloc(1, sizeof(*binary));
	if (!binary)
		return NULL;
	binary->names = names;
	binary->path = names_keep(names, wanted->path);
	if (wanted->build_id_bytes) {
		char hex[2 * 64 + 1];
		struct text text = TEXT_OF(hex);
		for (size_t i = 0; i < wanted->build_id_bytes; i++)
			text_format(&text, "%02x", wanted->build_id[i]);
		binary->build_id = names_keep(names, hex);
	}
	if (!binary->path) {
		free(binary);
		return NULL;
	}
	binary->wanted = *wanted;
	binary->wanted.path = binary->path;
	binary->wanted.build_id_bytes = MIN_OF(wanted->build_id_bytes, sizeof(binary->build_id_copy));
	memcpy(binary->build_id_copy, wanted->build_id, binary->wanted.build_id_bytes);
	binary->wanted.build_id = binary->build_id_copy;
	binary->callbacks = (Dwfl_Callbacks){
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = find_debug,
		.section_address = dwfl_offline_section_address,
	};
	return binary;
}

/* Notes which parts of the address space hold code. */
static void read_text(struct binary *binary)
{
	size_t count;
	if (elf_getphdrnum(binary->elf, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		if (gelf_getphdr(binary->elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
		    (segment.p_flags & PF_X))
			ranges_add(&binary->text, segment.p_vaddr, segment.p_vaddr + segment.p_memsz,
				   (uint32_t)i, 0);
	}
	ranges_sort(&binary->text);
}

/* The module has been reported: takes it into use. */
static void finish_open(struct binary *binary)
{
	void **data;
	if (binary->module && dwfl_module_info(binary->module, &data, NULL, NULL, NULL, NULL, NULL, NULL))
		*data = binary;
	if (dwfl_report_end(binary->dwfl, NULL, NULL) == 0 && binary->module)
		binary->elf = dwfl_module_getelf(binary->module, &binary->bias);
	if (binary->elf) {
		read_text(binary);
		return;
	}
	dwfl_end(binary->dwfl);
	binary->dwfl = NULL;
	binary->module = NULL;
}

/* A file that is nowhere on this machine can come from a debuginfod server, if the user named one. */
static void open_remote(struct binary *binary, const struct wanted *wanted)
{
	if (!servers_named() || !wanted->build_id_bytes)
		return;
	binary->dwfl = dwfl_begin(&binary->callbacks);
	if (!binary->dwfl)
		return;
	dwfl_report_begin(binary->dwfl);
	binary->module = dwfl_report_module(binary->dwfl, binary->path, 0, wanted->end - wanted->start);
	if (binary->module)
		dwfl_module_report_build_id(binary->module, wanted->build_id, wanted->build_id_bytes, 0);
	finish_open(binary);
}

struct binary *binary_open(const struct wanted *wanted, struct names *names)
{
	struct binary *binary = binary_new(wanted, names);
	if (!binary)
		return NULL;
	elf_version(EV_CURRENT);
	struct located located;
	int fd = locate_open(wanted, &located);
	if (fd < 0) {
		open_remote(binary, wanted);
		if (!binary->dwfl)
			note_put(binary, located.note);
		return binary;
	}
	binary->dwfl = dwfl_begin(&binary->callbacks);
	if (!binary->dwfl) {
		close(fd);
		return binary;
	}
	dwfl_report_begin(binary->dwfl);
	binary->module = dwfl_report_elf(binary->dwfl, binary->path, located.path, fd, 0, true);
	if (!binary->module)
		close(fd);
	finish_open(binary);
	if (!binary->dwfl) {
		char note[LOCATE_PATH_BYTES + 128];
		snprintf(note, sizeof(note), "'%s' can't be read: %s", located.path, dwfl_errmsg(-1));
		note_put(binary, note);
	}
	return binary;
}

/* This process's own copy of the vDSO; NULL: it has none. */
static char *own_vdso(size_t *ret_bytes)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	uint64_t start;
	uint64_t end;
	char *found = NULL;
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "[vdso]") || sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		found = (char *)(uintptr_t)start;
		*ret_bytes = end - start;
	}
	if (maps)
		fclose(maps);
	return found;
}

struct binary *binary_open_vdso(const struct wanted *wanted, struct names *names)
{
	struct binary *binary = binary_new(wanted, names);
	if (!binary)
		return NULL;
	elf_version(EV_CURRENT);
	size_t bytes;
	char *image = own_vdso(&bytes);
	if (!image || !wanted->build_id_bytes)
		return binary;
	binary->dwfl = dwfl_begin(&binary->callbacks);
	if (!binary->dwfl)
		return binary;
	dwfl_report_begin(binary->dwfl);
	binary->module = dwfl_report_offline_memory(binary->dwfl, binary->path, binary->path, image, bytes);
	finish_open(binary);
	const unsigned char *found;
	GElf_Addr where;
	if (!binary->dwfl)
		return binary;
	int count = dwfl_module_build_id(binary->module, &found, &where);
	if (count > 0 && (size_t)count >= wanted->build_id_bytes &&
	    memcmp(found, wanted->build_id, wanted->build_id_bytes) == 0)
		return binary;
	dwfl_end(binary->dwfl);
	binary->dwfl = NULL;
	return binary;
}

void binary_close(struct binary *binary)
{
	if (!binary)
		return;
	debug_close(binary->debug);
	symtab_release(&binary->symtab);
	ranges_release(&binary->text);
	if (binary->dwfl)
		dwfl_end(binary->dwfl);
	free(binary);
}

/* -- reading ----------------------------------------------------------------- */

static const struct symtab *binary_symtab(struct binary *binary)
{
	if (!binary->symtab_known && binary->dwfl)
		symtab_read(&binary->symtab, binary->module, binary->bias, &binary->text);
	binary->symtab_known = true;
	return &binary->symtab;
}

/* libdw 0.188 can't decompress zstd and takes such a file for one without debugging information. */
static bool is_zstd(struct binary *binary)
{
	size_t names;
	if (elf_getshdrstrndx(binary->elf, &names) != 0)
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(binary->elf, section));) {
		GElf_Shdr header;
		GElf_Chdr compression;
		const char *name;
		if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_COMPRESSED) &&
		    (name = elf_strptr(binary->elf, names, header.sh_name)) &&
		    strncmp(name, ".debug", 6) == 0 && gelf_getchdr(section, &compression) &&
		    compression.ch_type == COMPRESSED_ZSTD)
			return true;
	}
	return false;
}

static struct debug *binary_debug(struct binary *binary)
{
	if (binary->debug_known || !binary->dwfl)
		return binary->debug;
	binary->debug_known = true;
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(binary->module, &bias);
	if (dwarf) {
		binary->debug_shift = binary->bias - bias;
		binary->debug = debug_open(dwarf, &binary->text, binary->names);
	}
	if ((!binary->debug || !binary->debug->unit_count) && is_zstd(binary)) {
		char note[LOCATE_PATH_BYTES];
		snprintf(
		    note, sizeof(note),
		    "the debugging information of '%s' is compressed with zstd, which can't be read here: "
		    "try objcopy --compress-debug-sections=zlib",
		    binary->path);
		note_put(binary, note);
	}
	return binary->debug;
}

/* Whether a symbol is `name`, or a compiler's clone of it ("name.isra.0"). */
static bool is_clone(const char *symbol, const char *name)
{
	size_t bytes = strlen(name);
	return strncmp(symbol, name, bytes) == 0 && symbol[bytes] == '.';
}

static void name_by_symbol(struct binary *binary, struct frame *frame, const char *symbol)
{
	frame->function = names_demangle(binary->names, symbol);
	frame->linkage = frame->function && strcmp(symbol, frame->function) != 0
			     ? names_put(binary->names, symbol, strcspn(symbol, "@"))
			     : NULL;
	if (frame->linkage && strcmp(frame->linkage, frame->function) == 0)
		frame->linkage = NULL;
}

/*
 * Whether a symbol is the public name of what its author calls by a reserved one: `pthread_mutex_lock`, where
 * glibc's debugging information says `___pthread_mutex_lock`. Reports should not change with its presence.
 */
static bool is_public_name(const char *symbol, const char *name)
{
	return strncmp(name, "__", 2) == 0 && symbol[0] != '_';
}

size_t binary_frames(struct binary *binary, uint64_t address, struct frame *ret_frames, size_t limit)
{
	size_t count = 0;
	struct debug *debug = binary_debug(binary);
	if (debug)
		count = debug_frames(debug, address + binary->debug_shift, ret_frames, limit);
	if (!count)
		ret_frames[count++] = (struct frame){ 0 };
	struct frame *compiled = &ret_frames[count - 1];
	/*
	 * The symbol knows more than the debugging information of a clone, and of a C++ function that
	 * only its own file can see, to which gcc gives no linkage name.
	 */
	const struct symbol *symbol = symtab_function(binary_symtab(binary), address);
	if (symbol && (!compiled->function ||
		       (!compiled->linkage && (strncmp(symbol->name, "_Z", 2) == 0 ||
					       is_public_name(symbol->name, compiled->function)))))
		name_by_symbol(binary, compiled, symbol->name);
	else if (symbol && is_clone(symbol->name, compiled->linkage ? compiled->linkage : compiled->function))
		compiled->linkage = names_keep(binary->names, symbol->name);
	if (debug && !binary->note && debug_split_missing(debug)) {
		char note[LOCATE_PATH_BYTES];
		snprintf(note, sizeof(note),
			 "'%s' keeps its debugging information in .dwo files that are not there",
			 binary->path);
		note_put(binary, note);
	}
	return count;
}

void binary_symbol(struct binary *binary, uint64_t address, struct frame *ret_frame)
{
	const struct symbol *symbol = symtab_function(binary_symtab(binary), address);
	*ret_frame = (struct frame){ 0 };
	if (symbol)
		name_by_symbol(binary, ret_frame, symbol->name);
}

/* The writable section at an address; NULL: there is none. */
static const char *data_section(struct binary *binary, uint64_t address)
{
	size_t names;
	if (elf_getshdrstrndx(binary->elf, &names) != 0)
		return NULL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(binary->elf, section));) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_ALLOC) &&
		    (header.sh_flags & SHF_WRITE) && !(header.sh_flags & SHF_TLS) &&
		    address >= header.sh_addr && address - header.sh_addr < header.sh_size)
			return elf_strptr(binary->elf, names, header.sh_name);
	}
	return NULL;
}

/* A guard is called what it guards: its kind says that it is one. */
static const char *without_guard(const char *name)
{
	static const char guard[] = "guard variable for ";
	return strncmp(name, guard, sizeof(guard) - 1) == 0 ? name + sizeof(guard) - 1 : name;
}

bool binary_data(struct binary *binary, uint64_t address, char *buffer, size_t size)
{
	const char *section = binary->dwfl ? data_section(binary, address) : NULL;
	if (!section)
		return false;
	const struct symbol *symbol = symtab_object(binary_symtab(binary), address);
	const char *name = symbol ? without_guard(names_demangle(binary->names, symbol->name)) : NULL;
	struct debug *debug = binary_debug(binary);
	const struct variable *variable = debug ? debug_variable(debug, address + binary->debug_shift) : NULL;
	if (variable && symbol && variable->address - binary->debug_shift != symbol->address)
		variable = NULL;
	struct text text = { .at = buffer, .size = size };
	if (!name && !variable) {
		text_format(&text, "%s+0x%lx (%s %s)", base_name(binary->path), address,
			    base_name(binary->path), section);
		return true;
	}
	if (variable) {
		debug_member(debug, variable, name, address + binary->debug_shift, buffer, size);
		text.used = strlen(buffer);
	} else {
		text_put(&text, name);
		if (address != symbol->address)
			text_format(&text, "+%lu", address - symbol->address);
	}
	text_format(&text, " (%s %s)", base_name(binary->path), section);
	return true;
}

bool binary_local(struct binary *binary, uint64_t address, uint64_t below, struct frame *ret_variable)
{
	char text[1024];
	struct debug *debug = binary_debug(binary);
	if (!debug)
		return false;
	Dwarf_Addr bias;
	Dwarf_CFI *unwind = dwfl_module_eh_cfi(binary->module, &bias);
	if (!debug_local(debug, unwind, address + binary->bias - bias, address + binary->debug_shift, below,
			 text, sizeof(text), ret_variable))
		return false;
	ret_variable->function = names_keep(binary->names, text);
	return ret_variable->function;
}

bool binary_thread_offset(struct binary *binary, uint64_t below, uint64_t *ret_offset)
{
	size_t count;
	if (!binary->dwfl || elf_getphdrnum(binary->elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		if (!gelf_getphdr(binary->elf, (int)i, &segment) || segment.p_type != PT_TLS)
			continue;
		uint64_t align = MAX_OF(segment.p_align, UINT64_C(1));
		uint64_t room = (segment.p_memsz + align - 1) / align * align;
		*ret_offset = room - below;
		return segment.p_vaddr % align == 0 && below <= room && *ret_offset < segment.p_memsz;
	}
	return false;
}

bool binary_thread_local(struct binary *binary, uint64_t offset, struct frame *ret_variable)
{
	if (!binary->dwfl)
		return false;
	const struct symbol *symbol = symtab_thread_local(binary_symtab(binary), offset);
	const char *name = symbol ? names_demangle(binary->names, symbol->name) : NULL;
	struct debug *debug = binary_debug(binary);
	const struct variable *variable = debug ? debug_thread_local(debug, offset) : NULL;
	if (variable && symbol && variable->address != symbol->address)
		variable = NULL;
	if (!name && !variable)
		return false;
	char buffer[1024];
	struct text text = TEXT_OF(buffer);
	if (variable) {
		debug_member(debug, variable, name, offset, buffer, sizeof(buffer));
	} else {
		text_put(&text, name);
		if (offset != symbol->address)
			text_format(&text, "+%lu", offset - symbol->address);
	}
	ret_variable->function = names_keep(binary->names, buffer);
	return ret_variable->function;
}
