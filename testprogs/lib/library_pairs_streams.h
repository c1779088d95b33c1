/* Compression, encryption, transfer. */
#ifndef TESTPROGS_LIBRARY_PAIRS_STREAMS_H
#define TESTPROGS_LIBRARY_PAIRS_STREAMS_H

#if __has_include(<zlib.h>)
#include <zlib.h>

static void zlib_deflate(bool gives_back)
{
	z_stream stream = { 0 }, copy;
	if (deflateInit(&stream, 6) != Z_OK || deflateCopy(&copy, &stream) != Z_OK)
		exit(1);
	deflateEnd(&copy);
	if (gives_back)
		deflateEnd(&stream);
}

static void zlib_inflate(bool gives_back)
{
	z_stream stream = { 0 };
	if (inflateInit(&stream) == Z_OK && gives_back)
		inflateEnd(&stream);
}

static void zlib_file(bool gives_back)
{
	gzFile file = gzopen("/dev/null", "rb");
	if (file && gives_back)
		gzclose(file);
}

#define PLANTS_ZLIB \
	PLANT(zlib_deflate, "zlib compression") \
	PLANT(zlib_inflate, "zlib decompression") \
	PLANT(zlib_file, "gz stream")
#else
#define PLANTS_ZLIB
#endif

#if __has_include(<bzlib.h>)
#include <bzlib.h>

static void bzip2_both(bool gives_back)
{
	bz_stream in = { 0 }, out = { 0 };
	if (BZ2_bzCompressInit(&out, 1, 0, 0) != BZ_OK || BZ2_bzDecompressInit(&in, 0, 0) != BZ_OK)
		exit(1);
	if (gives_back) {
		BZ2_bzCompressEnd(&out);
		BZ2_bzDecompressEnd(&in);
	}
}

#define PLANTS_BZIP2 PLANT(bzip2_both, "bzip2 compression,bzip2 decompression")
#else
#define PLANTS_BZIP2
#endif

#if __has_include(<lzma.h>)
#include <lzma.h>

static void lzma_encoder(bool gives_back)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	if (lzma_easy_encoder(&stream, 1, LZMA_CHECK_CRC32) == LZMA_OK && gives_back)
		lzma_end(&stream);
}

#define PLANTS_LZMA PLANT(lzma_encoder, "lzma coder")
#else
#define PLANTS_LZMA
#endif

#if __has_include(<zstd.h>)
#include <zstd.h>

static void zstd_both(bool gives_back)
{
	ZSTD_CCtx *out = ZSTD_createCCtx();
	ZSTD_DCtx *in = ZSTD_createDCtx();
	if (gives_back) {
		ZSTD_freeCCtx(out);
		ZSTD_freeDCtx(in);
	}
}

#define PLANTS_ZSTD PLANT(zstd_both, "zstd compression,zstd decompression")
#else
#define PLANTS_ZSTD
#endif

#if __has_include(<openssl/ssl.h>)
#include <openssl/evp.h>
#include <openssl/ssl.h>

static void openssl_tls(bool gives_back)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *connection = SSL_new(context);
	if (gives_back) {
		SSL_free(connection);
		SSL_CTX_free(context);
	}
}

static void openssl_stream(bool gives_back)
{
	BIO *stream = BIO_new(BIO_s_mem());
	if (gives_back)
		BIO_free(stream);
}

/* Two own it, so both give it back; and what owns a stream frees it along with itself. */
static void openssl_shared(bool gives_back)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL *connection = SSL_new(context);
	SSL_CTX_up_ref(context);
	SSL_CTX_free(context);
	SSL_CTX_free(context);
	SSL_set_bio(connection, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_free(connection);
	(void)gives_back;
}

static void openssl_digest(bool gives_back)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_PKEY *key = EVP_PKEY_new();
	EVP_PKEY_CTX *operation = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	if (gives_back) {
		EVP_MD_CTX_free(digest);
		EVP_CIPHER_CTX_free(cipher);
		EVP_PKEY_free(key);
		EVP_PKEY_CTX_free(operation);
	}
}

#define PLANTS_OPENSSL \
	PLANT(openssl_tls, "TLS connection,TLS context") \
	PLANT(openssl_stream, "OpenSSL stream") \
	PLANT(openssl_digest, "OpenSSL digest,OpenSSL cipher,OpenSSL key,OpenSSL key operation") \
	PLANT(openssl_shared, "")
#else
#define PLANTS_OPENSSL
#endif

#if __has_include(<curl/curl.h>)
#include <curl/curl.h>

static void curl_handles(bool gives_back)
{
	CURL *easy = curl_easy_init();
	CURLM *multi = curl_multi_init();
	struct curl_slist *list = curl_slist_append(NULL, "one");
	list = curl_slist_append(list, "two");
	CURLSH *share = curl_share_init();
	CURLU *address = curl_url();
	curl_mime *form = curl_mime_init(easy);
	if (gives_back) {
		curl_mime_free(form);
		curl_easy_cleanup(easy);
		curl_multi_cleanup(multi);
		curl_slist_free_all(list);
		curl_share_cleanup(share);
		curl_url_cleanup(address);
	}
}

#define PLANTS_CURL PLANT(curl_handles, "curl,curl multi,curl list,curl share,curl address,curl form")
#else
#define PLANTS_CURL
#endif

#define PLANTS_STREAMS PLANTS_ZLIB PLANTS_BZIP2 PLANTS_LZMA PLANTS_ZSTD PLANTS_OPENSSL PLANTS_CURL

#endif
