#include "reporter/cli/elf_check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/context.h"
#include "reporter/cli/complain.h"

/* The kernel's own limit on interpreters of interpreters. */
#define SCRIPT_DEPTH 4
/* What the kernel reads of a script's first line. */
#define SCRIPT_LINE_BYTES 256
/* More program headers than any linker makes. */
#define HEADERS_MOST 512

static bool is_file(const char *path)
{
	struct stat stat_buffer;
	return stat(path, &stat_buffer) == 0 && !S_ISDIR(stat_buffer.st_mode);
}

int elf_check_find(const char *name, char ret_path[ELF_CHECK_PATH_BYTES])
{
	const char *places = getenv("PATH");
	int error = -ENOENT;
	if (!*name)
		return -ENOENT;
	if (strlen(name) >= ELF_CHECK_PATH_BYTES)
		return -ENAMETOOLONG;
	if (strchr(name, '/')) {
		snprintf(ret_path, ELF_CHECK_PATH_BYTES, "%s", name);
		return access(name, F_OK) == 0 ? 0 : -errno;
	}
	if (!places)
		places = "/bin:/usr/bin";
	for (const char *at = places; at;) {
		size_t bytes = strcspn(at, ":");
		/* An empty place is the current directory, as the shell has it. */
		int length = snprintf(ret_path, ELF_CHECK_PATH_BYTES, "%.*s%s%s", (int)bytes, at,
				      bytes ? "/" : "./", name);
		if (length < ELF_CHECK_PATH_BYTES && is_file(ret_path)) {
			if (access(ret_path, X_OK) == 0)
				return 0;
			error = -EACCES;
		}
		at = at[bytes] ? at + bytes + 1 : NULL;
	}
	return error;
}

/* -- the parts of the verdict ---------------------------------------------- */

/* Whether executing the file would raise privileges, so that the loader ignores what is preloaded. */
static bool raises_privileges(const char *path, const struct stat *file, const char **ret_what)
{
	struct statvfs system;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return false;
	if (statvfs(path, &system) == 0 && (system.f_flag & ST_NOSUID))
		return false;
	if ((file->st_mode & S_ISUID) && file->st_uid != getuid()) {
		*ret_what = "setuid";
		return true;
	}
	/* Without the group's execute bit, setgid means mandatory locking. */
	if ((file->st_mode & S_ISGID) && (file->st_mode & S_IXGRP) && file->st_gid != getgid()) {
		*ret_what = "setgid";
		return true;
	}
	if (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0) {
		*ret_what = "given capabilities";
		return true;
	}
	return false;
}

static const char *machine_name(unsigned machine, unsigned class)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86 (i386)";
	case EM_X86_64:
		return class == ELFCLASS32 ? "32-bit x86 (x32)" : "64-bit x86";
	case EM_AARCH64:
		return "64-bit ARM";
	case EM_ARM:
		return "32-bit ARM";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "64-bit POWER";
	case EM_S390:
		return "S/390";
	default:
		return "another machine";
	}
}

/* A file on the way from the program to what the kernel loads, and how many scripts stand before it. */
struct candidate {
	const char *path;
	unsigned depth;
};

static int refuse(struct text *ret_reason, const struct candidate *file, const char *what, const char *next)
{
	/* Of an interpreter, the name has not been said yet. */
	if (file->depth)
		text_format(ret_reason, "its interpreter '%s' %s; %s", file->path, what, next);
	else
		text_format(ret_reason, "it %s; %s", what, next);
	return EXIT_UNLOADABLE;
}

/* An ELF file that has the headers which execve looks at. */
struct elf_file {
	Elf64_Ehdr header;
	char loader[PATH_MAX]; /* PT_INTERP; "" where there is none */
	bool dynamic;
};

/* Return: 0, or -EINVAL where the headers make no sense. */
static int read_elf(int fd, struct elf_file *ret_file)
{
	const Elf64_Ehdr *header = &ret_file->header;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || !header->e_phnum || header->e_phnum > HEADERS_MOST)
		return -EINVAL;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;
		off_t at = (off_t)(header->e_phoff + i * sizeof segment);
		if (at < 0 || pread(fd, &segment, sizeof segment, at) != (ssize_t)sizeof segment)
			return -EINVAL;
		if (segment.p_type == PT_DYNAMIC)
			ret_file->dynamic = true;
		if (segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz < 2 || segment.p_filesz >= sizeof ret_file->loader ||
		    pread(fd, ret_file->loader, segment.p_filesz, (off_t)segment.p_offset) !=
			(ssize_t)segment.p_filesz)
			return -EINVAL;
		ret_file->loader[segment.p_filesz] = '\0';
	}
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Whether the program is linked to a library whose name begins so. */
static bool needs_library(int fd, const char *name)
{
	bool needed = false;
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	for (Elf_Scn *section = NULL; elf && !needed && (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		GElf_Dyn entry;
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (int i = 0; data && !needed && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL;
		     i++) {
			const char *library = entry.d_tag == DT_NEEDED
						  ? elf_strptr(elf, header.sh_link, entry.d_un.d_val)
						  : NULL;
			needed = library && strncmp(library, name, strlen(name)) == 0;
		}
	}
	elf_end(elf);
	return needed;
}

static int check_elf(const struct candidate *file, int fd, const struct stat *stat_buffer,
		     struct elf_file *elf, struct text *ret_reason)
{
	const Elf64_Ehdr *header = &elf->header;
	unsigned class = header->e_ident[EI_CLASS];
	const char *privilege;
	char what[PATH_MAX + 64];
	struct text words = TEXT_OF(what);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(ret_reason, file, "is a big-endian program",
			      "whoholds records 64-bit x86 programs; build it for this machine");
	if (class != ELFCLASS64 || header->e_machine != EM_X86_64) {
		text_format(&words, "is a program for %s", machine_name(header->e_machine, class));
		return refuse(ret_reason, file, what,
			      "whoholds records 64-bit x86 programs; build it for x86-64");
	}
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return refuse(ret_reason, file,
			      "is an ELF file but not a program (an object file or a core file)",
			      "name the program that it is part of");
	if (read_elf(fd, elf) != 0)
		return refuse(ret_reason, file, "is a damaged ELF file", "build or install it again");
	if (raises_privileges(file->path, stat_buffer, &privilege)) {
		text_format(&words, "is %s, and the loader ignores preloaded libraries there", privilege);
		return refuse(ret_reason, file, what,
			      "run it as its owner or as root, or a copy without that bit ('cp' drops it)");
	}
	if (!elf->loader[0]) {
		/* The loader run as a command loads the program, and the preload with it. */
		if (elf->dynamic && strncmp(base_name(file->path), "ld-linux", strlen("ld-linux")) == 0)
			return 0;
		return refuse(ret_reason, file,
			      "is statically linked, so no library can be preloaded into it",
			      "link it dynamically (without -static)");
	}
	if (strncmp(base_name(elf->loader), "ld-musl", strlen("ld-musl")) == 0) {
		text_format(&words, "is linked with musl (%s)", elf->loader);
		return refuse(ret_reason, file, what,
			      "whoholds' library needs glibc; build it against glibc");
	}
	if (access(elf->loader, X_OK) != 0) {
		text_format(&words, "needs the loader '%s', which is not there", elf->loader);
		return refuse(ret_reason, file, what, "install the C library that it was built for");
	}
	/* It would end the program at its start. The other sanitizers' runtimes bear us, and we leave theirs alone. */
	if (needs_library(fd, "libasan.so") || needs_library(fd, "liblsan.so"))
		return refuse(ret_reason, file,
			      "is built with a sanitizer that must come before any other library",
			      "run it as it is, or build it without -fsanitize");
	return 0;
}

/* The interpreter that a script's first line names. Return: false where it names none. */
static bool script_interpreter(const char *line, char ret_interpreter[ELF_CHECK_PATH_BYTES])
{
	line += 2;
	line += strspn(line, " \t");
	size_t bytes = strcspn(line, " \t\r\n");
	snprintf(ret_interpreter, ELF_CHECK_PATH_BYTES, "%.*s", (int)bytes, line);
	return bytes > 0;
}

static int check_file(const struct candidate *file, struct text *ret_reason);

static int check_script(const struct candidate *file, const char *line, struct text *ret_reason)
{
	char interpreter[ELF_CHECK_PATH_BYTES], what[ELF_CHECK_PATH_BYTES + 64];
	struct text words = TEXT_OF(what);
	if (!script_interpreter(line, interpreter))
		return refuse(ret_reason, file, "is a script that names no interpreter",
			      "name one behind its '#!'");
	if (access(interpreter, F_OK) != 0) {
		text_format(&words, "is a script for '%s', which is not there", interpreter);
		return refuse(ret_reason, file, what, "install it, or correct the script's first line");
	}
	const struct candidate next = { .path = interpreter, .depth = file->depth + 1 };
	return check_file(&next, ret_reason);
}

/* Return: as elf_check. */
static int check_open(const struct candidate *file, int fd, const struct stat *stat_buffer,
		      struct text *ret_reason)
{
	struct elf_file elf = { 0 };
	char line[SCRIPT_LINE_BYTES + 1] = "";
	ssize_t got = pread(fd, line, sizeof line - 1, 0);
	if (got >= 2 && line[0] == '#' && line[1] == '!')
		return check_script(file, line, ret_reason);
	got = pread(fd, &elf.header, sizeof elf.header, 0);
	if (got >= SELFMAG && memcmp(elf.header.e_ident, ELFMAG, SELFMAG) == 0) {
		if (got < (ssize_t)sizeof elf.header)
			return refuse(ret_reason, file, "is a damaged ELF file", "build or install it again");
		return check_elf(file, fd, stat_buffer, &elf, ret_reason);
	}
	/* Neither: execvp hands it to the shell, and so do we. Binary rubbish is not a script. */
	for (ssize_t i = 0; i < got && i < SCRIPT_LINE_BYTES && line[i] != '\n'; i++)
		if (!line[i])
			return refuse(ret_reason, file, "is neither a program nor a script",
				      "name a program");
	const struct candidate shell = { .path = "/bin/sh", .depth = file->depth + 1 };
	if (file->depth)
		return refuse(ret_reason, file, "is not a program", "correct the first line of the script");
	return check_file(&shell, ret_reason);
}

static int check_file(const struct candidate *file, struct text *ret_reason)
{
	struct stat stat_buffer;
	char what[128];
	struct text words = TEXT_OF(what);
	if (file->depth > SCRIPT_DEPTH)
		return refuse(ret_reason, file,
			      "is a script for a script for a script, too deep for the kernel",
			      "name a program as its interpreter");
	if (stat(file->path, &stat_buffer) != 0) {
		text_format(&words, "can't be reached (%s)", strerror(errno));
		return refuse(ret_reason, file, what, "check its name and its directories");
	}
	if (S_ISDIR(stat_buffer.st_mode))
		return refuse(ret_reason, file, "is a directory", "name a program in it");
	if (!S_ISREG(stat_buffer.st_mode))
		return refuse(ret_reason, file, "is not a regular file", "name a program");
	if (access(file->path, X_OK) != 0) {
		text_format(&words, "is not executable (%s)", strerror(errno));
		return refuse(ret_reason, file, what,
			      "make it executable (chmod +x), or name the program that runs it");
	}
	/* What may be executed and not read (mode 0111) is the kernel's to judge. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	int result = check_open(file, fd, &stat_buffer, ret_reason);
	close(fd);
	return result;
}

int elf_check(const char *path, struct text *ret_reason)
{
	const struct candidate file = { .path = path };
	return check_file(&file, ret_reason);
}
