/// Numbers for people: few digits, with their unit.
enum Figure {
    /// At most three decimals, none that are zero.
    static func plain(_ value: Double) -> String {
        guard value.isFinite else { return "" }
        let rounded = (value * 1_000).rounded() / 1_000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    static func age(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0 else { return "" }
        let whole = Int(min(seconds, 1e12))
        switch whole {
        case ..<120: return "\(whole)s"
        case ..<7_200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3_600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    static func rate(_ rate: Double?) -> String {
        guard let rate, rate.isFinite else { return "" }
        return (rate >= 10 ? plain(rate.rounded()) : plain((rate * 10).rounded() / 10)) + "/s"
    }

    static func percent(_ share: Double?) -> String {
        guard let share, share.isFinite else { return "" }
        return plain((share * 1_000).rounded() / 10) + "%"
    }

    /// Nothing for what was not measured.
    static func milliseconds(_ value: Double?) -> String {
        guard let value, value.isFinite, value > 0 else { return "" }
        return plain(value >= 10 ? value.rounded() : (value * 100).rounded() / 100) + " ms"
    }
}
