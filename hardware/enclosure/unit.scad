// Case of the body unit lte. Numbers come from parameters.scad, which `make hardware` writes from
// parameters.csv, placement.csv, posts.csv and lugs.csv; hardware/fit.py checks them.
//
// Axes as worn: x to the wearer's left, y up, z away from the chest. The origin is the inner corner
// of the cavity, so that a part stands where placement.csv says.
//
// Why OpenSCAD: it is in Debian, needs no Python wheel, and a technician can change a number and
// see it; build123d would be stronger at fillets, which this box hardly needs.
include <parameters.scad>

view = "assembled"; // assembled back exploded section inside base lid cap clip
$fn = 40;

outer = [cavity_x + 2 * wall, cavity_y + 2 * wall];
split = cavity_z; // lid and base meet at the lid's inner face
sos = part_center("button");
cap_top = split + front + collar - recess;

function part_row(name) = [for (p = parts) if (p[0] == name) p][0];
function part_center(name) = part_row(name)[1] + part_row(name)[2] / 2;

module slab(inset, z, height) {
    r = max(corner - inset, 0.5);
    translate([-wall, -wall, z])
        hull() for (x = [inset + r, outer[0] - inset - r], y = [inset + r, outer[1] - inset - r])
            translate([x, y, 0]) cylinder(r = r, h = height);
}

function lug_at(l) =
    l[0] == "left" ? [-wall - lug_d / 2 + 1, l[1]] :
    l[0] == "right" ? [cavity_x + wall + lug_d / 2 - 1, l[1]] :
    l[0] == "bottom" ? [l[1], -wall - lug_d / 2 + 1] : [l[1], cavity_y + wall + lug_d / 2 - 1];

function lug_root(l) =
    l[0] == "left" ? [-wall / 2, l[1]] : l[0] == "right" ? [cavity_x + wall / 2, l[1]] :
    l[0] == "bottom" ? [l[1], -wall / 2] : [l[1], cavity_y + wall / 2];

module lugs(z, height, hole) {
    difference() {
        for (l = lugs_list) hull() {
            translate([lug_at(l)[0], lug_at(l)[1], z]) cylinder(d = lug_d, h = height);
            translate([lug_root(l)[0], lug_root(l)[1], z]) cylinder(d = lug_d, h = height);
        }
        for (l = lugs_list)
            translate([lug_at(l)[0], lug_at(l)[1], z - 1]) cylinder(d = hole, h = height + 2);
        slab(wall - 0.01, z - 1, height + 2);
    }
}

module gasket(width, depth) {
    middle = wall / 2;
    difference() {
        slab(middle - width / 2, split - depth, depth + 0.01);
        slab(middle + width / 2, split - depth - 1, depth + 2);
    }
}

module strap_bar() {
    // Two ears at the top end with a slot for a 15 mm strap.
    translate([cavity_x / 2 + 8, cavity_y + wall, 6]) difference() {
        translate([-strap_w / 2 - 3, -1, 0]) cube([strap_w + 6, 9, 5]);
        translate([-strap_w / 2, 2, -1]) cube([strap_w, 3.5, 7]);
    }
}

module clip_pad() {
    translate([cavity_x / 2 - 15, cavity_y - 28, -floor - 4]) difference() {
        cube([30, 22, 4.01]);
        for (x = [7, 23]) translate([x, 11, -0.01]) cylinder(d = 2.1, h = 5);
    }
}

module base() {
    difference() {
        union() {
            slab(0, -floor, split + floor);
            lugs(split - 12, 12, 2.1);
            strap_bar();
            clip_pad();
        }
        slab(wall, 0, split + 1);
        gasket(groove_w, groove_d);
        // Cradle pads look out of the bottom wall; potted with epoxy.
        c = part_row("cradle");
        translate([c[1][0] - 0.2, -wall - 1, c[1][2] - 0.2]) cube([c[2][0] + 0.4, wall + 2, c[2][2] + 0.4]);
    }
    for (p = posts) translate([p[0], p[1], 0]) difference() {
        cylinder(d = post_d, h = part_row("board")[1][2]);
        translate([0, 0, part_row("board")[1][2] - 8]) cylinder(d = 1.6, h = 9);
    }
    // Ribs that hold the cell.
    for (y = [30, 80]) translate([part_row("pack")[1][0] + part_row("pack")[2][0] + 0.6, y, 0]) cube([1.6, 6, 12]);
}

module lid() {
    difference() {
        union() {
            slab(0, split, front);
            lugs(split, front, screw_d + 0.4);
            translate([sos[0], sos[1], split]) cylinder(d = opening_d + 6, h = front + collar);
        }
        // Funnel: the finger slides in, a seat does not.
        translate([sos[0], sos[1], cap_top - 0.1])
            cylinder(d1 = opening_d - 3, d2 = opening_d, h = recess + 0.11);
        translate([sos[0], sos[1], split - 1]) cylinder(d = cap_hole, h = front + collar);
        // Seat of the silicone cap, glued from inside.
        translate([sos[0], sos[1], split - 0.01]) cylinder(d = cap_d + 0.4, h = cap_t + 0.01);
        l = part_center("light");
        // Light pipe, glued in.
        translate([l[0], l[1], split - 1]) cylinder(d = 3, h = front + 2);
    }
}

module cap() {
    foot = part_row("button")[1][2] + part_row("button")[2][2] + cap_gap;
    translate([sos[0], sos[1], 0]) {
        translate([0, 0, split]) cylinder(d = cap_d, h = cap_t);
        translate([0, 0, split]) cylinder(d = cap_boss, h = cap_top - split);
        translate([0, 0, foot]) cylinder(d = 5, h = cap_top - foot);
        for (a = [0 : 120 : 240]) rotate(a) translate([3, 0, cap_top]) sphere(d = 1.6, $fn = 16);
    }
}

module clip() {
    x = cavity_x / 2 - 14;
    translate([x, 0, -floor - 4]) {
        difference() {
            translate([0, cavity_y - 28, -3]) cube([28, 22, 3]);
            for (dx = [6, 22]) translate([dx, cavity_y - 17, -4]) cylinder(d = 2.8, h = 6);
        }
        // Spring tongue with a lip that keeps the webbing in.
        translate([0, 20, -3 - clip_gap]) cube([28, cavity_y - 26, 3]);
        translate([0, cavity_y - 9, -3 - clip_gap]) cube([28, 3, clip_gap + 3]);
        translate([0, 20, -3 - clip_gap]) cube([28, 3, clip_gap]);
    }
}

tint = [
    ["pack", "SteelBlue"], ["board", "ForestGreen"], ["esp32", "Silver"], ["modem", "LightGray"],
    ["sim", "DimGray"], ["receiver", "Gainsboro"], ["button", "Black"], ["motor", "Goldenrod"],
    ["patch", "Tan"], ["lte_antenna", "DarkOrange"], ["cradle", "Gold"], ["battery_lead", "White"],
    ["light", "Lime"]];
function tint_of(name) = [for (t = tint) if (t[0] == name) t[1]][0];

module contents() {
    for (p = parts) color(tint_of(p[0])) translate(p[1])
        if (p[0] == "pack") translate([p[2][0] / 2, 0, p[2][2] / 2]) rotate([-90, 0, 0]) cylinder(d = p[2][0], h = p[2][1]);
        else if (p[0] == "motor") translate([p[2][0] / 2, p[2][1] / 2, 0]) cylinder(d = p[2][0], h = p[2][2]);
        else cube(p[2]);
}

module dressed(lift) {
    color("DarkSlateGray") base();
    contents();
    translate([0, 0, lift * 0.4]) color("RoyalBlue") gasket(groove_w - 0.5, cord);
    translate([0, 0, lift * 0.7]) color("OrangeRed") cap();
    translate([0, 0, lift]) color("SlateGray") lid();
    translate([0, 0, -lift * 0.5]) color("DimGray") clip();
}

if (view == "assembled" || view == "back") dressed(0);
if (view == "exploded") dressed(45);
if (view == "inside") { color("DarkSlateGray") base(); contents(); color("DimGray") clip(); }
if (view == "section") difference() {
    dressed(0);
    translate([sos[0], -50, -50]) cube(200);
}
if (view == "base") base();
if (view == "lid") rotate([180, 0, 0]) lid();
if (view == "cap") cap();
if (view == "clip") clip();
