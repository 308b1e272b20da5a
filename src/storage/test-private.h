/* Shared by the files of the connection test. */
#pragma once

#include "aws/bucket.h"
#include "storage/test.h"

struct run {
	const struct storage_test *test;
	struct storage_test_result *result;
	char key[CATALOG_NAME_SIZE + 64]; /* of the test's own object */
	struct s3_object object;          /* as it was put */
	bool is_put;
	char access_key[256]; /* that requests are signed with */
	bool is_list_public;  /* the bucket can be listed without a key */
};

/* Report a finding. */
void run_tell(struct run *run, const struct storage_check *check);
void run_say(struct run *run, const char *name, enum storage_result result, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
#define run_pass(run, name, ...) run_say(run, name, STORAGE_PASSED, __VA_ARGS__)
#define run_note(run, name, ...) run_say(run, name, STORAGE_NOTED, __VA_ARGS__)
/* Report a failure, and return false: the remedy may have variables (explain.c), and may be "". */
bool run_fail_text(struct run *run, const char *name, const char *text, const char *remedy);
/* A request's error, explained. */
bool run_fail(struct run *run, const char *name, const struct remote_error *error);

/* explain.c: replaces the variables in a text. there: the bucket's region by the server, or "". */
void explain_fill(const struct run *run, const char *format, const char *action,
		  const struct remote_error *error, const char *there, char *ret_text, size_t size);
/* Explains an error, with a remedy. region as above. */
void explain(const struct run *run, const char *name, const struct remote_error *error,
	     const char *region, struct storage_check *ret_check);

/* test-object.c: puts, reads, lists, deletes the test's own object. */
void test_object(struct run *run);
/* test-cors.c */
void test_cors(struct run *run);
