/* Heads of WAV files, usual and odd. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/wav.h"
#include "util/buf.h"

static void add_u32(struct buf *b, uint32_t v)
{
	const char bytes[] = { (char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24) };

	buf_add(b, bytes, sizeof bytes);
}

static void add_u16(struct buf *b, uint16_t v)
{
	const char bytes[] = { (char)v, (char)(v >> 8) };

	buf_add(b, bytes, sizeof bytes);
}

static void add_riff(struct buf *b, uint32_t size)
{
	buf_add(b, "RIFF", 4);
	add_u32(b, size);
	buf_add(b, "WAVE", 4);
}

static void add_fmt(struct buf *b, uint16_t channels)
{
	buf_add(b, "fmt ", 4);
	add_u32(b, 16);
	add_u16(b, 1);
	add_u16(b, channels);
	add_u32(b, 8000);
	add_u32(b, 16000u * channels);
	add_u16(b, (uint16_t)(2 * channels));
	add_u16(b, 16);
}

static void add_chunk(struct buf *b, const char *id, uint32_t size)
{
	buf_add(b, id, 4);
	add_u32(b, size);
	for (uint32_t i = 0; i < size + (size & 1); i++)
		buf_add_char(b, 'x');
}

static void add_data(struct buf *b, uint32_t size)
{
	buf_add(b, "data", 4);
	add_u32(b, size);
}

static void test_twilio__the_usual_44_bytes_are_read(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct wav_info info;

	add_riff(&b, 36 + 32000);
	add_fmt(&b, 2);
	add_data(&b, 32000);
	assert_int_equal(b.len, 44);
	assert_int_equal(wav_parse(b.data, b.len, &info), 0);
	assert_int_equal(info.format, 1);
	assert_int_equal(info.channels, 2);
	assert_int_equal(info.bits_per_sample, 16);
	assert_int_equal(info.sample_rate_hz, 8000);
	assert_int_equal(info.bytes_per_sec, 32000);
	assert_int_equal(info.data_offset_bytes, 44);
	assert_int_equal(info.data_size_bytes, 32000);
	assert_int_equal(info.riff_size_bytes, 32044);
}

static void test_twilio__chunks_before_and_between_are_skipped_with_their_padding(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct wav_info info;

	add_riff(&b, 1000);
	add_chunk(&b, "JUNK", 27);
	add_fmt(&b, 1);
	add_chunk(&b, "LIST", 3);
	add_chunk(&b, "fact", 4);
	add_data(&b, 10);
	assert_int_equal(wav_parse(b.data, b.len, &info), 0);
	assert_int_equal(info.channels, 1);
	assert_int_equal(info.data_offset_bytes, b.len);
	assert_int_equal(info.data_size_bytes, 10);
}

static void test_twilio__sizes_of_streaming_writers_are_unknown(void **state)
{
	static const uint32_t sizes[] = { 0, UINT32_C(0xFFFFFFFF) };

	for (size_t i = 0; i < 2; i++) {
		cleanup_buf struct buf b = BUF_INIT;
		struct wav_info info;

		add_riff(&b, sizes[i]);
		add_fmt(&b, 1);
		add_data(&b, sizes[i]);
		assert_int_equal(wav_parse(b.data, b.len, &info), 0);
		assert_int_equal(info.data_size_bytes, -1);
		assert_int_equal(info.riff_size_bytes, -1);
		assert_int_equal(info.data_offset_bytes, 44);
	}
}

static void test_twilio__every_truncation_of_a_head_wants_more(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct wav_info info;

	add_riff(&b, 100);
	add_fmt(&b, 2);
	add_data(&b, 10);
	for (size_t n = 0; n < b.len; n++) {
		assert_int_equal(wav_parse(b.data, n, &info), -EAGAIN);
		assert_int_equal(info.channels, n >= 36 ? 2 : 0);
		assert_int_equal(info.data_offset_bytes, -1);
	}
	assert_int_equal(wav_parse(b.data, b.len, &info), 0);
}

static void test_twilio__a_chunk_that_claims_four_gigabytes_is_not_followed(void **state)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct wav_info info;

	add_riff(&b, 100);
	buf_add(&b, "JUNK", 4);
	add_u32(&b, UINT32_C(0xFFFFFFFF));
	add_fmt(&b, 2);
	add_data(&b, 10);
	assert_int_equal(wav_parse(b.data, b.len, &info), -EAGAIN);
}

static void test_twilio__what_is_no_wav_is_refused(void **state)
{
	cleanup_buf struct buf no_fmt = BUF_INIT, short_fmt = BUF_INIT, no_channel = BUF_INIT;
	struct wav_info info;

	assert_int_equal(wav_parse("<?xml version='1.0'?><TwilioResponse>", 37, &info), -EINVAL);
	assert_int_equal(wav_parse("{", 1, &info), -EINVAL);
	assert_int_equal(wav_parse("RIFF....AVI LIST", 16, &info), -EINVAL);
	assert_int_equal(wav_parse("ID3\3aaaaaaaaaaaa", 16, &info), -EINVAL);
	add_riff(&no_fmt, 100);
	add_data(&no_fmt, 10);
	assert_int_equal(wav_parse(no_fmt.data, no_fmt.len, &info), -EINVAL);
	add_riff(&short_fmt, 100);
	add_chunk(&short_fmt, "fmt ", 14);
	add_data(&short_fmt, 10);
	assert_int_equal(wav_parse(short_fmt.data, short_fmt.len, &info), -EINVAL);
	add_riff(&no_channel, 100);
	add_fmt(&no_channel, 0);
	add_data(&no_channel, 10);
	assert_int_equal(wav_parse(no_channel.data, no_channel.len, &info), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twilio__the_usual_44_bytes_are_read),
		cmocka_unit_test(
			test_twilio__chunks_before_and_between_are_skipped_with_their_padding),
		cmocka_unit_test(test_twilio__sizes_of_streaming_writers_are_unknown),
		cmocka_unit_test(test_twilio__every_truncation_of_a_head_wants_more),
		cmocka_unit_test(test_twilio__a_chunk_that_claims_four_gigabytes_is_not_followed),
		cmocka_unit_test(test_twilio__what_is_no_wav_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
