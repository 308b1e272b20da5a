/* Shared by the files of the connection test. */
#ifndef TONICFS_STORAGE_TEST_PRIVATE_H
#define TONICFS_STORAGE_TEST_PRIVATE_H

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

/* Report a finding. remedy NULL: none. */
void run_tell(struct run *run, const char *name, enum storage_result result, const char *text,
	      const char *remedy);
void run_pass(struct run *run, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void run_note(struct run *run, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Reports a request's error, explained. */
void run_fail(struct run *run, const char *name, const struct remote_error *error);
/* The same, prefixed with the operation that failed although the permission is there. */
void run_fail_doing(struct run *run, const char *name, const char *doing,
		    const struct remote_error *error);

/* explain.c: explains an error, with a remedy. region: the bucket's region by the server, or "". */
void explain(const struct run *run, const char *name, const struct remote_error *error,
	     const char *region, struct storage_check *ret_check);

/* test-object.c: puts, reads, lists, deletes the test's own object. */
void test_object(struct run *run);
/* test-cors.c */
void test_cors(struct run *run);

#endif
