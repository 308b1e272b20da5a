/* Bytes and times as people read them. */
#pragma once

#include <stdint.h>

#define AMOUNT_SIZE 32

/* "812 B", "44.1 kB", "3.4 GB": in powers of 1000. */
const char *amount_bytes(int64_t bytes, char ret_text[AMOUNT_SIZE]);
/* "1,234,567" */
const char *amount_count(int64_t count, char ret_text[AMOUNT_SIZE]);
/* "0:46", "12:05", "3:04:10", "2 d 3 h" */
const char *amount_secs(int64_t secs, char ret_text[AMOUNT_SIZE]);

/* The same, valid until the end of the caller's block. */
#define bytes_text(bytes) amount_bytes((int64_t)(bytes), (char[AMOUNT_SIZE]){ 0 })
#define count_text(count) amount_count((int64_t)(count), (char[AMOUNT_SIZE]){ 0 })
#define secs_text(secs) amount_secs(secs, (char[AMOUNT_SIZE]){ 0 })
