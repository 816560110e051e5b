/*
 * page_checks.js - what is wrong with the page on view, by WCAG 2.2 AA:
 * computed in the browser, from what it shows and not from what was meant.
 *
 * checkPage() returns a list of lines.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
"use strict";

/* ---- colour ---- */

function parseColour(text)
{
	const m = text.match(/rgba?\(([^)]*)\)/);

	if (!m)
		return null;
	const parts = m[1].split(/[,/ ]+/).map(Number);
	return { r: parts[0], g: parts[1], b: parts[2],
		a: parts.length > 3 ? parts[3] : 1 };
}

function over(top, below)
{
	const mix = (a, b) => a * top.a + b * (1 - top.a);

	return { r: mix(top.r, below.r), g: mix(top.g, below.g),
		b: mix(top.b, below.b), a: 1 };
}

/* What lies behind the element: its own background over its parents'. */
function backgroundOf(element)
{
	const layers = [];
	let colour = { r: 255, g: 255, b: 255, a: 1 };

	if (matchMedia("(prefers-color-scheme: dark)").matches)
		colour = { r: 18, g: 18, b: 18, a: 1 };
	for (let e = element; e; e = e.parentElement) {
		const c = parseColour(getComputedStyle(e).backgroundColor);

		if (c && c.a > 0)
			layers.unshift(c);
		if (c && c.a === 1)
			break;
	}
	for (const layer of layers)
		colour = over(layer, colour);
	return colour;
}

function luminance(c)
{
	const linear = (v) => {
		v /= 255;
		return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	};

	return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) +
	    0.0722 * linear(c.b);
}

function contrast(a, b)
{
	const x = luminance(a), y = luminance(b);

	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/* ---- what is on view ---- */

function isShown(element)
{
	if (!element.checkVisibility || !element.checkVisibility({
		checkOpacity: true, checkVisibilityCSS: true }))
		return false;
	const box = element.getBoundingClientRect();

	/* Text for screen readers is one pixel large. */
	return box.width > 2 && box.height > 2;
}

function nameOf(element)
{
	let text = element.tagName.toLowerCase();

	if (element.id)
		text += "#" + element.id;
	else if (element.getAttribute("name"))
		text += `[name=${element.getAttribute("name")}]`;
	else if (element.className && element.className.baseVal === undefined)
		text += "." + String(element.className).trim().replace(/\s+/g, ".");
	return text;
}

function checkContrast(wrong)
{
	const walker = document.createTreeWalker(document.body,
	    NodeFilter.SHOW_TEXT);

	while (walker.nextNode()) {
		const node = walker.currentNode;
		const element = node.parentElement;

		if (!node.data.trim() || !isShown(element) ||
		    element.closest("[disabled], [aria-disabled=true], svg"))
			continue;
		const style = getComputedStyle(element);
		const colour = parseColour(style.color);
		const behind = backgroundOf(element);
		const ratio = contrast(over(colour, behind), behind);
		const size = parseFloat(style.fontSize);
		const bold = parseInt(style.fontWeight, 10) >= 700;
		const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;

		if (ratio < least)
			wrong.push(`contrast ${ratio.toFixed(2)} < ${least}: ` +
			    `${nameOf(element)} "${node.data.trim().slice(0, 40)}"`);
	}
}

/* The edge of what one types into must be seen too (1.4.11). */
function checkEdges(wrong)
{
	const css = "input:not([type=hidden]):not([type=checkbox])" +
	    ":not([type=radio]):not([type=file]), select, textarea";

	for (const field of document.querySelectorAll(css)) {
		if (!isShown(field) || field.disabled)
			continue;
		const style = getComputedStyle(field);
		const behind = backgroundOf(field.parentElement);
		const edge = parseColour(style.borderTopColor);
		const inner = backgroundOf(field);
		const seen = Math.max(contrast(inner, behind),
		    parseFloat(style.borderTopWidth) > 0 && edge
			? contrast(over(edge, behind), behind) : 1);

		if (seen < 3)
			wrong.push(`edge ${seen.toFixed(2)} < 3: ${nameOf(field)}`);
	}
}

/* ---- names, structure ---- */

function accessibleName(element)
{
	const ids = element.getAttribute("aria-labelledby");

	if (element.getAttribute("aria-label"))
		return element.getAttribute("aria-label").trim();
	if (ids)
		return ids.split(/\s+/).map((id) =>
		    document.getElementById(id)?.textContent ?? "").join(" ").trim();
	if (element.labels && element.labels.length)
		return Array.from(element.labels, (l) => l.textContent)
		    .join(" ").trim();
	return (element.textContent.trim() ||
	    element.querySelector("img[alt]")?.alt || element.title || "").trim();
}

function checkNames(wrong)
{
	const css = "input:not([type=hidden]), select, textarea, button, " +
	    "a[href], summary, iframe";

	for (const element of document.querySelectorAll(css)) {
		if (!element.checkVisibility())
			continue;
		const name = element.tagName === "IFRAME"
		    ? element.title : accessibleName(element);

		if (!name && !(element.type === "submit" && element.value))
			wrong.push(`no name: ${nameOf(element)}`);
	}
	for (const image of document.querySelectorAll("img"))
		if (!image.hasAttribute("alt"))
			wrong.push(`no alt: ${nameOf(image)}`);
	for (const svg of document.querySelectorAll("svg"))
		if (svg.getAttribute("aria-hidden") !== "true" &&
		    !svg.getAttribute("aria-label") && !svg.querySelector("title"))
			wrong.push("an svg that is neither hidden nor named");
}

function checkStructure(wrong)
{
	const ids = new Map();
	let level = 0;

	if (!/^(en|ja)$/.test(document.documentElement.lang))
		wrong.push(`lang is "${document.documentElement.lang}"`);
	if (!document.title.trim())
		wrong.push("no title");
	if (document.querySelectorAll("main").length !== 1)
		wrong.push("not one main");
	if (document.querySelectorAll("h1").length !== 1)
		wrong.push(`${document.querySelectorAll("h1").length} h1`);
	for (const heading of document.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
		const mine = Number(heading.tagName[1]);

		if (level && mine > level + 1)
			wrong.push(`h${mine} after h${level}: ` +
			    heading.textContent.trim().slice(0, 40));
		level = mine;
	}
	for (const element of document.querySelectorAll("[id]"))
		ids.set(element.id, (ids.get(element.id) ?? 0) + 1);
	for (const [id, count] of ids)
		if (count > 1)
			wrong.push(`id ${id} ${count} times`);
	for (const label of document.querySelectorAll("label[for]"))
		if (!document.getElementById(label.htmlFor))
			wrong.push(`label for ${label.htmlFor}, which is not there`);
	for (const th of document.querySelectorAll("th"))
		if (!th.getAttribute("scope"))
			wrong.push(`th without scope: ${th.textContent.trim()}`);
	const skip = document.querySelector("a[href^='#']");

	if (!skip || !document.querySelector(skip.getAttribute("href")))
		wrong.push("no way to skip to the content");
}

/* 2.5.8: 24 by 24, but for links inside text and what has room around. */
function checkTargets(wrong)
{
	const css = "button, select, input:not([type=hidden]), summary, " +
	    "a[href], label[for]";
	const boxes = [];

	for (const element of document.querySelectorAll(css)) {
		if (!isShown(element) || element.disabled)
			continue;
		if (element.tagName === "LABEL")
			continue;
		if (element.tagName === "A" &&
		    getComputedStyle(element).display === "inline" &&
		    element.parentElement.textContent.trim() !==
		    element.textContent.trim())
			continue;
		boxes.push({ element, box: element.getBoundingClientRect() });
	}
	for (const one of boxes) {
		if (one.box.width >= 24 && one.box.height >= 24)
			continue;
		const x = one.box.x + one.box.width / 2;
		const y = one.box.y + one.box.height / 2;
		/* A circle of 24 about it must not meet another target. */
		const near = boxes.find((other) => {
			if (other === one ||
			    one.element.contains(other.element) ||
			    other.element.contains(one.element))
				return false;
			const dx = Math.max(other.box.left - x, 0,
			    x - other.box.right);
			const dy = Math.max(other.box.top - y, 0,
			    y - other.box.bottom);

			return Math.hypot(dx, dy) < 12;
		});

		if (near)
			wrong.push(`target ${one.box.width.toFixed(0)}x` +
			    `${one.box.height.toFixed(0)}: ` +
			    `${nameOf(one.element)} beside ${nameOf(near.element)}`);
	}
}

/* Focus by keyboard is to be seen: something about it changes. */
function checkFocus(wrong)
{
	const css = "button, select, textarea, summary, a[href], " +
	    "input:not([type=hidden])";
	const look = (e) => {
		const s = getComputedStyle(e);

		return [s.outlineStyle, s.outlineWidth, s.outlineColor,
			s.boxShadow, s.borderColor, s.backgroundColor].join("|");
	};
	const active = document.activeElement;

	for (const element of document.querySelectorAll(css)) {
		if (!isShown(element) || element.disabled)
			continue;
		element.blur();
		const before = look(element);

		element.focus({ focusVisible: true, preventScroll: true });
		if (document.activeElement === element && look(element) === before)
			wrong.push(`focus is not seen: ${nameOf(element)}`);
		element.blur();
	}
	if (active && active.focus)
		active.focus({ preventScroll: true });
}

/* ---- width ---- */

function checkWidth(wrong)
{
	const width = document.documentElement.clientWidth;

	if (document.documentElement.scrollWidth <= width)
		return;
	const wide = [];

	for (const element of document.body.querySelectorAll("*")) {
		const box = element.getBoundingClientRect();

		if (box.right > width + 1 && isShown(element) &&
		    !element.closest("[data-scroll], .scroll, pre"))
			wide.push(`${nameOf(element)} to ${box.right.toFixed(0)}`);
	}
	wrong.push(`wider than ${width}: ` +
	    `${document.documentElement.scrollWidth} (${wide.slice(0, 5)})`);
}

function checkPage()
{
	const wrong = [];

	for (const check of [checkContrast, checkEdges, checkNames,
		checkStructure, checkTargets, checkFocus, checkWidth])
		check(wrong);
	return wrong;
}
