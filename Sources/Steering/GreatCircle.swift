import Model

/// Distances on a sphere of the Earth's mean radius. Off by half a percent at most, as the Earth is flattened.
///
/// Pure modules have no C library, so the few functions of an angle that this takes are here: good to a micrometre.
enum GreatCircle {
    /// Metres; the IUGG's mean radius.
    static let radius = 6_371_008.8

    /// Metres between two places, 0 ... 20,015,115.
    static func distance(_ from: Coordinates, _ to: Coordinates) -> Double {
        let (first, second) = (vector(from), vector(to))
        let (x, y, z) = (first.x - second.x, first.y - second.y, first.z - second.z)
        // Half the chord between both is the sine of half the angle.
        let half = min((x * x + y * y + z * z).squareRoot() / 2, 1)
        return 2 * arcsine(half) * radius
    }

    /// Route 53's geoproximity bias on a distance: -99 ... 99 percent. A positive bias makes a place nearer than it is, a
    /// negative one further away.
    static func biased(_ distance: Double, by bias: Int) -> Double {
        let part = Double(min(max(bias, -99), 99)) / 100
        return part >= 0 ? distance * (1 - part) : distance / (1 + part)
    }

    private static func vector(_ place: Coordinates) -> (x: Double, y: Double, z: Double) {
        let latitude = place.latitude * .pi / 180
        let longitude = place.longitude * .pi / 180
        let flat = cosine(latitude)
        return (flat * cosine(longitude), flat * sine(longitude), sine(latitude))
    }

    /// Of an angle between -π and π.
    private static func sine(_ angle: Double) -> Double {
        // sin x = sin(π - x) brings the angle to where the series is short.
        let folded = angle > .pi / 2 ? .pi - angle : angle < -.pi / 2 ? -.pi - angle : angle
        let square = folded * folded
        var sum = 0.0
        for term in stride(from: 23.0, through: 3, by: -2) { sum = (1 + sum) * -square / (term * (term - 1)) }
        return folded * (1 + sum)
    }

    private static func cosine(_ angle: Double) -> Double { sine(.pi / 2 - abs(angle)) }

    /// Of 0 ... 1, by halving the angle until the series is short: sin(a/2) = sin a / (2 cos(a/2)).
    private static func arcsine(_ sine: Double) -> Double {
        var value = sine
        var factor = 1.0
        for _ in 0..<4 {
            let cosine = (1 - value * value).squareRoot()
            value /= ((1 + cosine) * 2).squareRoot()
            factor *= 2
        }
        let square = value * value
        var sum = 0.0
        for term in stride(from: 15.0, through: 1, by: -2) {
            sum = (1 + sum) * square * term * term / ((term + 1) * (term + 2))
        }
        return factor * value * (1 + sum)
    }
}
