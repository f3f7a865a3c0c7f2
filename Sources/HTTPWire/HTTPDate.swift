package import Model

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
extension HeadWriter {
    package mutating func append(date: Timestamp) {
        let seconds = date.nanoseconds / 1_000_000_000
        var days = seconds / 86_400
        let rest = Int(seconds - days * 86_400)
        append(Self.weekday(Int((days + 4) % 7)))
        append(", ")
        // Days since 0000-03-01 in eras of 400 years (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
        days += 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        append(twoDigits: Int(day))
        append(" ")
        append(Self.month(Int(month)))
        append(" ")
        append(decimal: UInt64(max(0, year + era * 400 + (month <= 2 ? 1 : 0))))
        append(" ")
        append(twoDigits: rest / 3_600)
        append(":")
        append(twoDigits: rest / 60 % 60)
        append(":")
        append(twoDigits: rest % 60)
        append(" GMT")
    }

    private static func weekday(_ index: Int) -> StaticString {
        switch index {
        case 0: "Sun"
        case 1: "Mon"
        case 2: "Tue"
        case 3: "Wed"
        case 4: "Thu"
        case 5: "Fri"
        default: "Sat"
        }
    }

    private static func month(_ number: Int) -> StaticString {
        switch number {
        case 1: "Jan"
        case 2: "Feb"
        case 3: "Mar"
        case 4: "Apr"
        case 5: "May"
        case 6: "Jun"
        case 7: "Jul"
        case 8: "Aug"
        case 9: "Sep"
        case 10: "Oct"
        case 11: "Nov"
        default: "Dec"
        }
    }
}
