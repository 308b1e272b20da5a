/* Objects of recordings: conversion to the catalog's struct, lookups by the derived key, and
 * tombstones. Used by the rooms that write objects and by those that find them. Threads: any. */
#pragma once

#include "aws/s3.h"
#include "catalog/object.h"
#include "catalog/storage.h"
#include "util/cancel.h"

/* The SHA-256 is taken from the object's metadata. */
void storage_object_describe(const struct catalog_storage *storage, const char *key,
			     const struct s3_object *object, struct catalog_object *ret_object);
/* Whether an object of this size can be the recording, by the duration that Twilio reported. False
 * also for an empty object. */
bool storage_object_may_be(const struct catalog_recording *recording, int64_t size_bytes);
/* Looks for an object at the recording's derived key; another machine may have written it. 0;
 * -ENOENT: none; otherwise the negative errno of *ret_error, -EIO for an impossible size. */
int storage_object_look(struct s3_client *s3, const struct catalog_storage *storage,
			const struct sid *account_sid, const struct catalog_recording *recording,
			struct catalog_object *ret_object, struct remote_error *ret_error);
/* For a recording that Twilio does not have: if its object is found, the catalog is updated, and
 * reads go to S3 from now on. Returns as above; -ENOENT also if its state is not TWILIO. */
int storage_object_find(struct catalog *catalog, struct http *http, int64_t recording_id,
			const struct cancel *cancel, struct remote_error *ret_error);
/* Aborts the uploads in parts that were left under the key. The number of uploads that were found,
 * or -errno. An upload that cannot be aborted costs money, but no recording: it is logged. */
int storage_uploads_abort(struct s3_client *s3, const char *key);
/* 1: the bucket has a tombstone of it; 0: it has none; else the negative errno of *ret_error. */
int storage_tombstone_look(struct s3_client *s3, const char *prefix,
			   const struct sid *recording_sid, struct remote_error *ret_error);
