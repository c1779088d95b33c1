/*
 * The verbs: each is a function cmd_VERB in cmd_VERB.c. argv[0] is the verb.
 * Return: the exit code of the command.
 *
 * Context: offline.
 */
#ifndef WH_CLI_COMMANDS_H
#define WH_CLI_COMMANDS_H

#define PRESENT(id, arguments, sentence) int cmd_##id(int argc, char **argv);
#define ABSENT(id, arguments, sentence)
#include "reporter/cli/verbs.def"

#endif
