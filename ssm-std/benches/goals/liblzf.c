/*
 * The C library LZF as a peer of the benchmarks, in a process of its own: Rust would have to call it with `unsafe`.
 *
 * liblzf FILE BLOCK reads FILE and waits for lines. On "encode" it packs all blocks of BLOCK bytes, on "decode" it unpacks those
 * that "encode" made smaller, and on either it answers with a line: the nanoseconds that its thread spent on the processor,
 * the plain bytes that it took or made, and the bytes of packed blocks and of those that stayed plain.
 */

#define _POSIX_C_SOURCE 200809L

#include <lzf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned char *plain, *packed, *place;
static unsigned *sizes; /* of each packed block; 0 where it does not pack */
static size_t length, block;

static void *room(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        exit(1);
    return memory;
}

static unsigned of_block(size_t index) {
    size_t left = length - index * block;
    return (unsigned)(left < block ? left : block);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
    char line[16];
    FILE *file = count == 3 ? fopen(arguments[1], "rb") : NULL;
    if (!file || (block = strtoul(arguments[2], NULL, 10)) == 0)
        return 1;
    fseek(file, 0, SEEK_END);
    length = (size_t)ftell(file);
    rewind(file);
    size_t blocks = (length + block - 1) / block;
    plain = room(length), packed = room(length), place = room(block), sizes = room(blocks * sizeof *sizes);
    memset(packed, 1, length), memset(sizes, 0, blocks * sizeof *sizes);
    if (fread(plain, 1, length, file) != length)
        return 1;
    while (fgets(line, sizeof line, stdin)) {
        int encode = strcmp(line, "encode\n") == 0;
        size_t done = 0, made = 0;
        long long start = now();
        for (size_t index = 0; index < blocks; index++) {
            unsigned char *from = plain + index * block, *to = packed + index * block;
            unsigned bytes = of_block(index);
            if (encode) {
                /* Room for one byte less: what does not get smaller stays plain. */
                sizes[index] = lzf_compress(from, bytes, to, bytes - 1);
                done += bytes;
            } else if (sizes[index]) {
                if (lzf_decompress(to, sizes[index], place, bytes) != bytes)
                    return 1;
                done += bytes;
            }
            made += sizes[index] ? sizes[index] : bytes;
        }
        printf("%lld %zu %zu\n", now() - start, done, made);
        fflush(stdout);
    }
    return 0;
}
