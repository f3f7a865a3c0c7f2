// Numbers that a stranger chose: a plain `Int64(x)` ends the process when `x` is not a number or does not fit.

extension Duration {
    /// `seconds` as a duration; nil when it is no number or lasts longer than a century either way.
    package init?(checkedSeconds seconds: Double) {
        guard seconds.isFinite, abs(seconds) <= 3_155_760_000 else { return nil }
        self = .seconds(seconds)
    }

    /// `milliseconds`, at most a century either way.
    package init(clampingMilliseconds milliseconds: Int64) {
        self = .milliseconds(max(-3_155_760_000_000, min(milliseconds, 3_155_760_000_000)))
    }
}

extension BinaryInteger where Self: FixedWidthInteger {
    /// `value` without its fraction, at the bounds of the type when it is beyond them; 0 when it is no number.
    package init(clamping value: Double) {
        // Comparing in Double is safe at the bounds: a value that rounds to 2^63 is beyond Int64.max.
        if value.isNaN {
            self = 0
        } else if value >= Double(Self.max) {
            self = .max
        } else if value <= Double(Self.min) {
            self = .min
        } else {
            self = Self(value)
        }
    }
}
