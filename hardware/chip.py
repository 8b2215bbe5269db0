"""What an ESP32 pin can do, as data.

Source of the pin table: ESP-IDF Programming Guide v5.5, "GPIO & RTC GPIO", table "GPIO Summary"
(docs.espressif.com/projects/esp-idf/zh_CN/v5.5/esp32/api-reference/peripherals/gpio.html).
Strapping levels and the glitch of 36 and 39: ESP32 Series Datasheet, "Strapping Pins", and ESP32
Errata "GPIO36 and GPIO39 pulled low": not found in the reference search; common knowledge of the
chip, to be held against the data sheet at review.
"""

from __future__ import annotations

USABLE = frozenset({*range(0, 6), *range(12, 20), *range(21, 24), *range(25, 28), *range(32, 40)})
FLASH = frozenset(range(6, 12))
PSRAM = frozenset({16, 17})  # on WROVER modules only
INPUT_ONLY = frozenset(range(34, 40))  # and without pulls
# Bonded out on the modules: 37 and 38 are not.
ON_MODULE = USABLE - {37, 38, 20, 24}

# GPIO -> RTC GPIO: only these can end a sleep by ext0 or ext1.
RTC = frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39})

ADC1 = {36: 0, 37: 1, 38: 2, 39: 3, 32: 4, 33: 5, 34: 6, 35: 7}  # GPIO -> channel
ADC2 = frozenset({0, 2, 4, 12, 13, 14, 15, 25, 26, 27})  # unusable while Wi-Fi is on

# Strapping pin -> the level it must have at reset for a normal boot from 3.3 V flash.
STRAPPING = {0: "high", 2: "low", 5: "high", 12: "low", 15: "high"}
# These may only be driven by the chip itself: an outside driver could win at reset.
# 0 is the exception: a button or the flasher pulls it low on purpose.
BOOT_BUTTON = 0

# Switching on the ADC or the hall sensor pulls these low for about 80 ns: levels may be read
# there, edges and serial lines may not.
GLITCHING = frozenset({36, 39})

# The ROM moves these while it boots: 1 tells the boot log, the others carry a clock or a burst.
# blog.csdn.net/weixin_43796593/article/details/122453484, table of GPIOs; to be seen on a scope.
MOVES_AT_BOOT = frozenset({0, 1, 5, 14, 15})

UARTS = ("uart0", "uart1", "uart2")
UART0_CONSOLE = {"uart0.tx": 1, "uart0.rx": 3}
I2CS = ("i2c0", "i2c1")
ADC_FULL_SCALE_MV = 2450  # at 11 dB attenuation: ESP-IDF ADC guide, to be measured per board
LOGIC_MV = 3300
