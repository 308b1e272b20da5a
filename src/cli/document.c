/* The one JSON document that --json prints on standard output. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "util/buf.h"

static struct {
	bool is_wanted;  /* --json was given */
	bool is_printed; /* by the command itself, or early */
	json_t *answer;
	struct buf errors;
	FILE *text_stream; /* into text */
	char *text;
	size_t text_len;
} document = { .errors = BUF_INIT };

void cli_json_begin(void)
{
	document.is_wanted = true;
	cli_streams_json();
}

bool cli_json_is_wanted(void)
{
	return document.is_wanted;
}

void cli_json_note_error(const char *text)
{
	if (!document.is_wanted)
		return;
	if (document.errors.len)
		buf_add_str(&document.errors, "; ");
	buf_add_str(&document.errors, text + strspn(text, " ")); /* items of a list are indented */
}

void cli_json_took_over(void)
{
	document.is_printed = true;
}

json_t *cli_json_failure(int status)
{
	/* verify, migrate and storage test may end so without an error: see their answers. */
	const char *without_error =
		status == CLI_PART
			? "done in part, or problems were found; see the rest of this document"
			: "failed; see the rest of this document";

	if (status == CLI_DONE)
		return json_object();
	return json_pack("{s:s, s:i}", "error",
			 document.errors.len ? buf_str(&document.errors) : without_error, "code",
			 status);
}

static int print_now(json_t *answer)
{
	int err;

	if (!answer)
		return cli_error("out of memory");
	err = json_dumpf(answer, stdout, JSON_INDENT(2));
	json_decref(answer);
	putchar('\n');
	if (err || fflush(stdout) != 0)
		return cli_error("the JSON document could not be written");
	return CLI_DONE;
}

int cli_json_print(json_t *answer)
{
	if (!document.is_wanted || !answer)
		return print_now(answer);
	json_decref(document.answer);
	document.answer = answer;
	return CLI_DONE;
}

int cli_json_print_early(json_t *answer)
{
	cli_json_took_over();
	return print_now(answer);
}

FILE *cli_json_text_begin(void)
{
	if (document.is_wanted)
		document.text_stream = open_memstream(&document.text, &document.text_len);
	return document.text_stream ? document.text_stream : stdout;
}

int cli_json_text_end(void)
{
	int status = CLI_DONE;

	if (!document.text_stream)
		return CLI_DONE;
	if (fclose(document.text_stream) == 0)
		status = cli_json_print(json_pack("{s:s}", "help", document.text));
	document.text_stream = NULL;
	free(document.text);
	document.text = NULL;
	return status;
}

int cli_json_end(int status)
{
	json_t *answer = document.answer, *failure;

	document.answer = NULL;
	if (!document.is_wanted || document.is_printed) {
		json_decref(answer);
	} else {
		failure = cli_json_failure(status);
		if (!answer)
			answer = json_object();
		else if (!json_is_object(answer) && status != CLI_DONE)
			answer = json_pack("{s:o}", "answer", answer);
		if (status != CLI_DONE && json_object_update(answer, failure) < 0)
			cli_error("out of memory");
		json_decref(failure);
		if (print_now(answer) != CLI_DONE && status == CLI_DONE)
			status = CLI_FAILED;
	}
	buf_release(&document.errors);
	return status;
}
