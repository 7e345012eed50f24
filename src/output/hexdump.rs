//! Bytes as `hexdump -C` shows them.

use std::io::Write as _;

/// The number of bytes in a line.
pub const LINE: usize = 16;

/// A dump of bytes that come in parts: lines of 16 bytes, repeated lines as `*`, the end at the end.
#[derive(Debug, Default)]
pub struct HexDump {
    /// Of the next byte.
    place: u64,
    /// The bytes of a line that is not complete yet.
    begun: Vec<u8>,
    previous: Option<[u8; LINE]>,
    is_folding: bool,
}

impl HexDump {
    /// A dump whose first byte is at this place.
    pub fn at(place: u64) -> HexDump {
        HexDump { place, ..HexDump::default() }
    }

    /// Adds bytes; appends the lines that are complete.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            let missing = (LINE - self.begun.len()).min(bytes.len());
            self.begun.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.begun.len() < LINE {
                return;
            }
            let line = std::mem::take(&mut self.begun);
            self.lines(&line, out);
        }
        let whole = bytes.len() - bytes.len() % LINE;
        self.lines(&bytes[..whole], out);
        self.begun.extend_from_slice(&bytes[whole..]);
    }

    /// Adds so many bytes that are 0.
    pub fn push_zeros(&mut self, mut number: u64, out: &mut Vec<u8>) {
        let some = [0; 2 * LINE];
        // Enough to complete the line, and to begin with a star.
        for _ in 0..2 {
            let part = number.min(some.len() as u64 - self.begun.len() as u64 % LINE as u64);
            self.push(&some[..part as usize], out);
            number -= part;
        }
        // From here on all lines are the same.
        let folded = number - number % LINE as u64;
        self.place += folded;
        self.push(&some[..(number - folded) as usize], out);
    }

    /// Appends the rest, and the place behind the last byte.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.begun);
        if !rest.is_empty() {
            append_line(self.place, &rest, out);
            self.place += rest.len() as u64;
        }
        // Writing to a vector cannot fail.
        let _ = writeln!(out, "{:08x}", self.place);
    }

    fn lines(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let (lines, _) = bytes.as_chunks::<LINE>();
        for line in lines {
            if self.previous == Some(*line) {
                if !std::mem::replace(&mut self.is_folding, true) {
                    out.extend_from_slice(b"*\n");
                }
            } else {
                append_line(self.place, line, out);
                self.previous = Some(*line);
                self.is_folding = false;
            }
            self.place += LINE as u64;
        }
    }
}

/// Appends a line of up to 16 bytes: their place, in hexadecimal and as ASCII.
pub fn append_line(place: u64, bytes: &[u8], out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{place:08x}");
    for number in 0..LINE {
        if number % 8 == 0 {
            out.push(b' ');
        }
        let _ = match bytes.get(number) {
            Some(byte) => write!(out, " {byte:02x}"),
            None => write!(out, "   "),
        };
    }
    out.extend_from_slice(b"  |");
    out.extend(bytes.iter().map(|byte| if matches!(byte, b' '..=b'~') { *byte } else { b'.' }));
    out.extend_from_slice(b"|\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dump(parts: &[&[u8]]) -> String {
        let (mut dump, mut out) = (HexDump::default(), Vec::new());
        parts.iter().for_each(|part| dump.push(part, &mut out));
        dump.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn as_hexdump_shows_it() {
        let text = dump(&[b"hello\n\0\xff", &[0; 40]]);
        assert_eq!(
            text,
            "00000000  68 65 6c 6c 6f 0a 00 ff  00 00 00 00 00 00 00 00  |hello...........|\n\
             00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n\
             00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
                .replace("00000020  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|", "*")
                + "00000030\n"
        );
        assert_eq!(dump(&[]), "00000000\n");
        let (mut dump, mut out) = (HexDump::at(1 << 36), Vec::new());
        dump.push(b"x", &mut out);
        dump.finish(&mut out);
        assert!(out.starts_with(b"1000000000  78  ") && out.ends_with(b"\n1000000001\n"));
    }

    proptest! {
        #[test]
        fn the_parts_do_not_matter(bytes in proptest::collection::vec(0u8..2, 0..200), cut in 0usize..200) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(dump(&[&bytes]), dump(&[&bytes[..cut], &bytes[cut..]]));
        }

        #[test]
        fn zeros_are_bytes_like_others(before in 0usize..40, number in 0usize..200, after in 0usize..40) {
            let (before, zeros, after) = (vec![7; before], vec![0; number], vec![8; after]);
            let (mut quick, mut out) = (HexDump::default(), Vec::new());
            quick.push(&before, &mut out);
            quick.push_zeros(number as u64, &mut out);
            quick.push(&after, &mut out);
            quick.finish(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), dump(&[&before, &zeros, &after]));
        }
    }
}
