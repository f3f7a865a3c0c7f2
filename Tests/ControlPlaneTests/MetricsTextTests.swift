import ControlPlane
import Model
import Testing

@Suite("Prometheus text")
struct MetricsTextTests {
    @Test("Families stay together under one HELP and one TYPE")
    func families() {
        var text = MetricsText()
        text.counter("a_total", help: "A.", labels: ["x": "1"], 3)
        text.gauge("b", help: "B.", 1.5)
        text.counter("a_total", help: "A.", labels: ["x": "2"], 4)
        #expect(
            text.rendered == """
                # HELP a_total A.
                # TYPE a_total counter
                a_total{x="1"} 3
                a_total{x="2"} 4
                # HELP b B.
                # TYPE b gauge
                b 1.5

                """)
    }

    @Test("Backslashes, quotes and line feeds are escaped where the format says so")
    func escaping() {
        var text = MetricsText()
        text.gauge("g", help: "say \"x\"\\\n", labels: ["l": "say \"x\"\\\n"], .infinity)
        #expect(
            text.rendered
                == "# HELP g say \"x\"\\\\\\n\n# TYPE g gauge\ng{l=\"say \\\"x\\\"\\\\\\n\"} +Inf\n")
    }

    @Test("Histograms are cumulative and end at infinity")
    func histogram() {
        var text = MetricsText()
        text.histogram("h", help: "H.", labels: ["p": "x"], bounds: [0.1, 1], counts: [2, 3, 1], sum: 4.25)
        #expect(
            text.rendered.split(separator: "\n").dropFirst(2) == [
                #"h_bucket{p="x",le="0.1"} 2"#, #"h_bucket{p="x",le="1"} 5"#, #"h_bucket{p="x",le="+Inf"} 6"#,
                #"h_sum{p="x"} 4.25"#, #"h_count{p="x"} 6"#,
            ])
    }
}
