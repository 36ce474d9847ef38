import { layout, look, nameFactor } from "./pass-over-layout.ts";

/**
 * Passes over what can't matter in the body of a page: text, end tags, and start tags with a common name and without an attribute that
 * matters. Stops at the first `<` that is anything else, or of which it is not sure; and at the page's end. Sixteen bytes are looked at in one step.
 *
 * What runs is `pass-over-code.ts`, which the tests hold against this. The page is followed by what ends every loop (`page-bytes.ts`) and by sixteen bytes that may be anything.
 */
export const passOverProgram = `(func (param $at i32) (param $end i32) (result i32)
  (local $byte i32)
  (local $stops i32)
  (local $p i32)
  (local $table i32)
  (local $isAddress i32)
  (local $bytes v128)
  (local $space v128)
  (local $solidus v128)
  (local $less v128)
  (local $equals v128)
  (local $greater v128)
  (local $name i64)
  (local.set $space (i8x16.splat (i32.const 0x20)))
  (local.set $solidus (i8x16.splat (i32.const 0x2f)))
  (local.set $less (i8x16.splat (i32.const 0x3c)))
  (local.set $equals (i8x16.splat (i32.const 0x3d)))
  (local.set $greater (i8x16.splat (i32.const 0x3e)))
  (loop $next
    ;; Text, up to the next "<".
    (loop $text
      (local.set $stops (i8x16.bitmask (i8x16.eq
        (v128.load offset=0 (local.get $at)) (local.get $less))))
      (if (i32.eqz (local.get $stops)) (then
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $text))))
    (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $stops))))
    (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $at))))

    (local.set $byte (i32.load8_u offset=1 (local.get $at)))

    ;; An end tag: a letter, and then nothing but a name.
    (if (i32.eq (local.get $byte) (i32.const 0x2f)) (then
      (if (i32.gt_u
            (i32.sub (i32.or (i32.load8_u offset=2 (local.get $at)) (i32.const 0x20)) (i32.const 0x61))
            (i32.const 25))
        (then (return (local.get $at))))
      (local.set $bytes (v128.load offset=3 (local.get $at)))
      (local.set $stops (i8x16.bitmask (v128.or
        (v128.or
          (i8x16.le_u (local.get $bytes) (local.get $space))
          (i8x16.eq (local.get $bytes) (local.get $solidus)))
        (i8x16.eq (local.get $bytes) (local.get $greater)))))
      (if (i32.eqz (local.get $stops)) (then (return (local.get $at))))
      (local.set $p (i32.add (local.get $at) (i32.ctz (local.get $stops))))
      (if (i32.ne (i32.load8_u offset=3 (local.get $p)) (i32.const 0x3e)) (then (return (local.get $at))))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (if (i32.gt_u (local.get $p) (local.get $end)) (then (return (local.get $at))))
      (local.set $at (local.get $p))
      (br $next)))

    ;; A start tag: a letter, and a name that is known to carry nothing.
    (if (i32.gt_u
          (i32.sub (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x61))
          (i32.const 25))
      (then (return (local.get $at))))
    (local.set $bytes (v128.load offset=1 (local.get $at)))
    (local.set $stops (i8x16.bitmask (v128.or
      (v128.or
        (i8x16.le_u (local.get $bytes) (local.get $space))
        (i8x16.eq (local.get $bytes) (local.get $solidus)))
      (i8x16.eq (local.get $bytes) (local.get $greater)))))
    (local.set $stops (i32.ctz (local.get $stops)))
    (if (i32.gt_u (local.get $stops) (i32.const 8)) (then (return (local.get $at))))
    (local.set $name (i64.and
      (i64.or (i64.load offset=1 (local.get $at)) (i64.const 0x2020202020202020))
      (i64.shr_u
        (i64.const -1)
        (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $stops) (i32.const 3)))))))
    (if (i64.ne
          (local.get $name)
          (i64.load offset=${layout.names} (i32.shl
            (i32.wrap_i64 (i64.shr_u (i64.mul (local.get $name) (i64.const ${nameFactor})) (i64.const 54)))
            (i32.const 3))))
      (then (return (local.get $at))))
    (local.set $p (i32.add (i32.add (local.get $at) (i32.const 1)) (local.get $stops)))
    (local.set $table (i32.shl (i64.eq (local.get $name) (i64.const 0x61)) (i32.const 8)))

    (loop $attribute
      (local.set $byte (i32.load8_u offset=0 (local.get $p)))
      (if (i32.eq (local.get $byte) (i32.const 0x3e)) (then
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (if (i32.gt_u (local.get $p) (local.get $end)) (then (return (local.get $at))))
        (local.set $at (local.get $p))
        (br $next)))
      ;; White space: tab, line feed, form feed, carriage return, space.
      (if (i32.le_u (local.get $byte) (i32.const 0x20)) (then
        (if (i32.eqz (i32.or
              (i32.eq (local.get $byte) (i32.const 0x20))
              (i32.and
                (i32.le_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 4))
                (i32.ne (local.get $byte) (i32.const 11)))))
          (then (return (local.get $at))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $attribute)))
      ;; A solidus, if the tag ends behind it.
      (if (i32.eq (local.get $byte) (i32.const 0x2f)) (then
        (if (i32.ne (i32.load8_u offset=1 (local.get $p)) (i32.const 0x3e)) (then (return (local.get $at))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $attribute)))

      ;; What its first letters say.
      (local.set $isAddress (i32.const 0))
      (local.set $byte (i32.load8_u offset=${layout.attributes} (i32.add (local.get $table) (local.get $byte))))
      (if (local.get $byte) (then
        (if (i32.eq (local.get $byte) (i32.const ${look.always})) (then (return (local.get $at))))
        (local.set $isAddress (i32.eq (local.get $byte) (i32.const ${look.address})))
        (if (i32.eq
              (i32.or (i32.load8_u offset=1 (local.get $p)) (i32.const 0x20))
              (local.get $byte))
          (then (return (local.get $at))))))

      ;; Its name.
      (local.set $bytes (v128.load offset=1 (local.get $p)))
      (local.set $stops (i8x16.bitmask (v128.or
        (v128.or
          (i8x16.le_u (local.get $bytes) (local.get $space))
          (i8x16.eq (local.get $bytes) (local.get $solidus)))
        (v128.or
          (i8x16.eq (local.get $bytes) (local.get $equals))
          (i8x16.eq (local.get $bytes) (local.get $greater))))))
      (if (i32.eqz (local.get $stops)) (then (return (local.get $at))))
      (local.set $p (i32.add (i32.add (local.get $p) (i32.const 1)) (i32.ctz (local.get $stops))))
      ;; Without a value. An equals sign behind white space would start a name here, and is none.
      (br_if $attribute (i32.ne (i32.load8_u offset=0 (local.get $p)) (i32.const 0x3d)))

      (local.set $byte (i32.load8_u offset=1 (local.get $p)))
      (if (i32.or
            (i32.eq (local.get $byte) (i32.const 0x22))
            (i32.eq (local.get $byte) (i32.const 0x27)))
        (then
          ;; A value in quotes.
          (if (i32.and
                (local.get $isAddress)
                (i32.load8_u offset=${layout.scripts} (i32.load8_u offset=2 (local.get $p))))
            (then (return (local.get $at))))
          (local.set $p (i32.add (local.get $p) (i32.const 2)))
          (loop $quoted
            (local.set $stops (i8x16.bitmask (i8x16.eq
              (v128.load offset=0 (local.get $p)) (i8x16.splat (local.get $byte)))))
            (if (i32.eqz (local.get $stops)) (then
              (local.set $p (i32.add (local.get $p) (i32.const 16)))
              (br $quoted))))
          (local.set $p (i32.add (i32.add (local.get $p) (i32.const 1)) (i32.ctz (local.get $stops))))
          (br $attribute)))

      ;; A value without.
      (if (i32.or
            (i32.or
              (i32.le_u (local.get $byte) (i32.const 0x20))
              (i32.eq (local.get $byte) (i32.const 0x3e)))
            (i32.and (local.get $isAddress) (i32.load8_u offset=${layout.scripts} (local.get $byte))))
        (then (return (local.get $at))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (loop $bare
        (local.set $bytes (v128.load offset=0 (local.get $p)))
        (local.set $stops (i8x16.bitmask (v128.or
          (i8x16.le_u (local.get $bytes) (local.get $space))
          (i8x16.eq (local.get $bytes) (local.get $greater)))))
        (if (i32.eqz (local.get $stops)) (then
          (local.set $p (i32.add (local.get $p) (i32.const 16)))
          (br $bare))))
      (local.set $p (i32.add (local.get $p) (i32.ctz (local.get $stops))))
      (br $attribute)))
  (return (local.get $at)))`;
