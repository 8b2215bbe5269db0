/* Maps a ROMFS image into a desk's MicroPython, as the ESP32 maps its flash: readable at an address,
 * outside the heap, so that bytecode runs where it lies and the collector never sees it. Preloaded
 * (LD_PRELOAD) by tests/fakes/rom.py; PATROL_ROMFS names the file, PATROL_ROMFS_AT the address. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((constructor)) static void map_image(void) {
    const char *path = getenv("PATROL_ROMFS"), *at = getenv("PATROL_ROMFS_AT");
    unsetenv("LD_PRELOAD"); /* the unit's own children are none of ours */
    int image = path && at ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat found;
    if (image < 0 || fstat(image, &found) ||
        mmap((void *)strtoul(at, NULL, 0), (size_t)found.st_size, PROT_READ,
             MAP_PRIVATE | MAP_FIXED_NOREPLACE, image, 0) == MAP_FAILED) {
        perror("rom_map");
        _exit(2);
    }
    close(image);
}
