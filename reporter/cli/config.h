/*
 * Config files: lines of `key = value`, `#` comments, blank lines; behind them sections [pair "name"]
 * (shim/pairs.h), whose file becomes the option `pairs`.
 *
 * Context: offline.
 */
#ifndef WH_CLI_CONFIG_H
#define WH_CLI_CONFIG_H

#include "options.h"

/* Sets what the file says. Return: 0, or EXIT_USAGE after a message with file and line for each mistake. */
int config_read(const char *path, struct options *into);

/* For options_parse of WHOHOLDS_OPTIONS. */
void config_complain_environment(const char *message);
void config_complain_nothing(const char *message);

#endif
