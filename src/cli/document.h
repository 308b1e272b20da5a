/* The one JSON document that --json prints on standard output: the command's answer, and, where its
 * exit status is not 0, what went wrong. Errors also go to standard error, as without --json. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct json_t;

/* From here on, standard output gets one document, which cli_json_end() prints. */
void cli_json_begin(void);
bool cli_json_is_wanted(void);
/* Keeps the command's answer for the document, and takes over the reference; without --json the
 * answer is printed at once. CLI_DONE or CLI_FAILED. */
int cli_json_print(struct json_t *answer);
/* Prints the answer at once, and as the whole document: for a command that runs on for long. */
int cli_json_print_early(struct json_t *answer);
/* For a help text: standard output, or, with --json, the member "help" of the document. */
FILE *cli_json_text_begin(void);
int cli_json_text_end(void);
/* The command or a child process prints the whole document itself. */
void cli_json_took_over(void);
/* {"error": the text of every cli_error(), "code": the exit status}; {} for CLI_DONE. The caller's
 * reference; NULL for lack of memory. */
struct json_t *cli_json_failure(int status);
/* Called by cli_error(). */
void cli_json_note_error(const char *text);
/* Prints the document of a command that has ended with this status: its answer with the members of
 * cli_json_failure(). Returns the exit status: another one where printing failed. */
int cli_json_end(int status);
