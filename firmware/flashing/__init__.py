"""Host side of flash.sh: from a bare ESP32 to a unit in a volunteer's hand."""
