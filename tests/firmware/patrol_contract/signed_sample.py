"""A command signed once by a key that was thrown away: MODULUS hex, COMMAND as on the wire."""

MODULUS = (
    "d2c9fd89e0df52d94b93c29d834921e3704c464afe438293ca45c0f58d5ef3ab083a8527d86eea4bceba56bf"
    "2bd811388c741a34e91314f39d08ca3e21c72dbd7efb52d8cba0314a833c84e0d74bba158d87a474e7e04384"
    "8b3f9ba20180c3855e06a1714820fe3c268b956747ab22a9b13d9d1a1904a67cfc037ef14e1c081fd65a0d63"
    "7c8f97b16a64cde289ebfa9e26862e86d63c4fa53a5f067fcd06b8f1d7caaa9e76a708353d44bf528ad1aa6d"
    "07e1b0656ee7307db2a89f0ac7f8b5afef3cc275a17c327e01d0771c5dafbca6c60e718918fac9d30690bdd4"
    "5d72759ae89e979c08a54cf78e86fbc2eb1e55122beb4a766809a71f743b08c877e9b732f4949567f4dec0d1"
    "8e70444aa2deee4256ee4bdc1b62385f38acc45e299bcad2ff655ddbe19b4b897539a3774bb43044e216af64"
    "80f09443c8c43f7691a9a2a596536607e49601c935630cf88aa17a6a8e349bacbc20d4d1f25b40418db1f961"
    "8b424a903fe7bd79153c095daf3d725aee08931de18b1cac600f4da5f8673a73"
)
COMMAND = (
    b'{"alg":"rsa3072-sha256","boot":"5f3c9a0e11d2b487","cmd":"sos_ack","exp":1795280700,"iat"'
    b':1795280400,"id":"00c0ffee00c0ffee","kid":"county-1","seq":17,"sig":"kapyBrjJ93ljRwjKExd'
    b"Nrpl48Innw4Egjsmr3ghvP4lQXjti1iarYD32Hx9tj6Rgvp/c8k9OieDXG9P9IrF8TTNOITnMUnYt0k2/wmDX5q1"
    b"EqMVyr+qji5MsP15qOhriFpINbnGCqNTMNOt8cDBbhsHT3XPFx1hatTcbFg0zau0YIkZYNzLg6co6qaIc7m/CMND"
    b"HTd5saCBx5bmeJsuAghGI51VIdLanw6EwZkI+xzp0CeCSnyOwoOAnCfmo1TY1WE8Op0PJe5PaTmtz2RvyvmpQl/c"
    b"EsYbPFC/RG9cKZZRbynwj3qG9ODsOFa5/j/JZFbqI/PUMFuRSG3CbYMG61QooWOG/rwQEBv0FbCVElViHXbbQPWQ"
    b"h5BBro/OWRdCzZxKdS50Fei2Vdflpn07XKEhsMmyOZ/gbdlWDPiVbSfxda8/NcIZ+OggUOUNB+DoDy/NCVM4yl6S"
    b'lDIJ0zVRlOQDmjKount2TOnMQaT9449DViWA3e2yYByG77WNJMjb4","sos":"9b1d6ae2f00c4417","to":"u-'
    b'0123","v":1}'
)
