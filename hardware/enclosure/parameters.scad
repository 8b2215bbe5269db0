// Written by hardware/render.py from the tables beside it; do not edit.
cavity_x = 52;
cavity_y = 98;
cavity_z = 28;
wall = 3.6;
floor = 2.4;
front = 3.4;
corner = 8;
gap = 0.5;
cord = 1.5;
groove_w = 1.9;
groove_d = 1.05;
squeeze_min = 0.2;
squeeze_max = 0.31;
fill_max = 0.9;
screw_span = 45;
screw_d = 2.5;
lug_d = 7;
opening_d = 24;
glove_d = 22;
collar = 3;
recess = 4.5;
seat_r = 50;
cap_gap = 0.3;
switch_travel = 0.4;
cap_d = 20;
cap_t = 0.8;
cap_hole = 16;
cap_boss = 10;
thin_min = 0.8;
post_d = 5;
clip_gap = 5;
strap_w = 16;
wifi_keepout = 15;
wifi_zone = 6.3;
lte_keepout = 5;
gnss_keepout = 3;
parts = [
    ["pack", [1.5, 20.5, 0.7], [19, 69.5, 19]],
    ["board", [2, 3, 20.5], [48, 92, 1.6]],
    ["esp32", [31.5, 3, 22.1], [18, 31.4, 3.3]],
    ["modem", [5, 58, 22.1], [24, 24, 2.4]],
    ["sim", [33, 56, 22.1], [13, 12, 1.5]],
    ["receiver", [31, 82, 22.1], [10.1, 9.7, 2.4]],
    ["button", [22.9, 44.9, 22.1], [6.2, 6.2, 5.2]],
    ["light", [44, 90, 22.1], [1.6, 0.8, 0.8]],
    ["battery_lead", [22.5, 70, 10.5], [9, 8, 10]],
    ["motor", [30, 45, 0], [10, 10, 2.7]],
    ["patch", [17, 93.5, 1.5], [18, 4, 18]],
    ["lte_antenna", [51.6, 40, 3], [0.4, 45, 12]],
    ["cradle", [2, 0, 1], [22, 4, 6]],
];
posts = [[5, 7.5], [47, 7.5], [5, 93], [47, 93], [47, 48]];
lugs_list = [["left", 12], ["left", 49], ["left", 86], ["right", 12], ["right", 49], ["right", 86], ["bottom", 26], ["top", 26]];
