import Model
import Testing

@Suite("Checked numbers") struct CheckedNumberTests {
    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e17, -1e17, .greatestFiniteMagnitude])
    func doubles(value: Double) {
        #expect(Duration(checkedSeconds: value) == nil)
        _ = Int64(clamping: value)
        _ = UInt64(clamping: value)
        _ = UInt8(clamping: value)
    }

    @Test func bounds() {
        #expect(Int64(clamping: 9.223372036854775e18) < .max && Int64(clamping: 9.223372036854776e18) == .max)
        #expect(UInt64(clamping: -1.0) == 0 && UInt32(clamping: 1e10) == .max && UInt16(clamping: 7.9) == 7)
        #expect(Duration(checkedSeconds: 1.5) == .milliseconds(1500))
        #expect(Duration(clampingMilliseconds: .max) < .seconds(4_000_000_000))
    }
}
