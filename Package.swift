// swift-tools-version: 6.2
import PackageDescription

/// Tests poke system calls by the hundred: marking each is noise there.
let language: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // A plain `package` function is not inlined across modules by default; this lets the optimiser do it.
    .unsafeFlags(["-enable-cmo-everything"], .when(configuration: .release)),
    // Array literals that become static objects get numbered weak symbols (`…Tv3_`), numbered anew in every module that
    // inlines the function: the linker would keep one module's objects and give them to all.
    .unsafeFlags(["-Xllvm", "-sil-disable-pass=object-outliner"], .when(configuration: .release)),
    // Each access to a property of a worker's object would cost a call and a list entry, two thirds of what forwarding a
    // message takes. Debug builds keep that check; the proofs that the compiler makes by itself stay in force everywhere.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// Every Swift target is built alike: Swift 6 mode, strict memory safety, no warning left standing.
let house: [SwiftSetting] = [.strictMemorySafety()] + language

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// For modules that declare views of memory that cannot outlive it (`@_lifetime`).
let lifetimes: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house + more)
}

/// With `-enable-cmo-everything` each module emits the standard library's specialisations that it uses as public symbols:
/// several modules have the same ones, and the linker may keep any.
let linking: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "muldefs"], .when(configuration: .release))
]

func program(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, swiftSettings: house, linkerSettings: linking)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestKit"], swiftSettings: language)
}

let package = Package(
    name: "meridian",
    products: [
        .executable(name: "meridian-dns", targets: ["meridian-dns"]),
        .executable(name: "meridian-l7", targets: ["meridian-l7"]),
        .executable(name: "meridian-l4", targets: ["meridian-l4"]),
        .executable(name: "meridianctl", targets: ["meridianctl"]),
        .executable(name: "meridian-world", targets: ["meridian-world"]),
        .executable(name: "meridian-mmdb", targets: ["meridian-mmdb"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries.
        .target(name: "CLinux"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Pure: no sockets, no clocks, no Foundation.
        module("Model"),
        module("DNSWire", ["Model"]),
        module("HTTPWire", ["Model"]),
        module("StreamWire", ["Model"]),
        module("Geo", ["Model", "CLinux", "CMaxMindDB"]),
        module("Latency", ["Model", "Geo"]),
        module("Balancing", ["Model"]),
        module("Steering", ["Model", "Geo"]),
        module("Health", ["Model"]),
        module("Federation", ["Model", crypto]),

        // What the tiers share.
        module("Topology", ["Model", crypto, yams]),
        module("Engine", ["Model", "CLinux"], lifetimes),
        module("HTTPExchange", ["Model", "HTTPWire", "Engine"]),
        module(
            "ControlPlane",
            [
                "Model", "Topology", "Engine", "HTTPExchange", "HTTPWire", "StreamWire", "Health", "Federation",
                "CCurl", "COpenSSL", crypto, logging, lifecycle, signals,
            ]),

        // The data paths.
        module(
            "DNSTier",
            [
                "CLinux", "Model", "DNSWire", "StreamWire", "Geo", "Latency", "Steering", "Health", "Topology",
                "Engine", "ControlPlane",
            ]),
        module(
            "L7Tier",
            ["Model", "HTTPWire", "Balancing", "Health", "Topology", "Engine", "HTTPExchange", "ControlPlane"],
            lifetimes),
        module("L4Tier", ["Model", "StreamWire", "Balancing", "Health", "Topology", "Engine", "ControlPlane"]),

        // How every program reads its command line and ends, and what the programs of the tiers have in common.
        module("Invocation", ["ControlPlane", argumentParser]),

        program("meridian-dns", ["DNSTier", "ControlPlane", "Topology", "Invocation", argumentParser]),
        program("meridian-l7", ["L7Tier", "ControlPlane", "Topology", "Invocation", argumentParser]),
        program("meridian-l4", ["L4Tier", "ControlPlane", "Topology", "Invocation", argumentParser]),
        program(
            "meridianctl", ["Model", "Topology", "ControlPlane", "Invocation", argumentParser],
            path: "tools/meridianctl"),
        .target(
            name: "WorldKit", dependencies: ["Model", "Topology", "ControlPlane"], path: "tools/world/Kit",
            swiftSettings: house),
        program("meridian-world", ["WorldKit", "Invocation", argumentParser], path: "tools/world/Command"),

        .target(
            name: "MMDBWriter", dependencies: ["Model", "Geo"], path: "tools/mmdb/Writer", swiftSettings: house),
        program("meridian-mmdb", ["MMDBWriter", "Geo", argumentParser], path: "tools/mmdb/Command"),

        .target(
            name: "FuzzTargets",
            dependencies: [
                "Model", "Geo", "DNSWire", "DNSTier", "HTTPWire", "StreamWire", "Health", "Topology", "Federation",
                "ControlPlane", "Engine", "L7Tier",
                "TestKit",
            ], path: "tools/fuzz/Targets", swiftSettings: house),
        program("meridian-fuzz", ["FuzzTargets", argumentParser], path: "tools/fuzz/Command"),

        .target(name: "TestKit", dependencies: ["Model"], path: "Tests/TestKit", swiftSettings: house),
        // Counts allocations of a thread, for the tests that allow none.
        .target(name: "CMallocCount", path: "Tests/CMallocCount"),
        tests("ModelTests", ["Model"]),
        tests("SystemTests", ["WorldKit", "ControlPlane", "Model"]),
        tests("HealthTests", ["Model", "Health"]),
        tests("DNSWireTests", ["DNSWire", "Model"]),
        tests(
            "DNSTierTests",
            [
                "DNSTier", "DNSWire", "StreamWire", "Model", "Steering", "Geo", "Topology", "ControlPlane", "Engine",
                "CMallocCount",
            ]),
        tests("FederationTests", ["Model", "Federation"]),
        tests(
            "ControlPlaneTests",
            ["Model", "Topology", "Engine", "HTTPExchange", "Health", "Federation", "ControlPlane", logging]),
        tests("EngineTests", ["Engine", "CLinux", "ControlPlane", "Model"]),
        tests("FuzzTests", ["FuzzTargets"]),
        tests("GeoTests", ["Geo", "Model", "MMDBWriter"]),
        tests("LatencyTests", ["Latency", "Geo", "Steering", "Model"]),
        tests("SteeringTests", ["Steering", "Geo", "Model"]),
        tests("BalancingTests", ["Balancing", "Model"]),
        tests("StreamWireTests", ["StreamWire", "Model"]),
        tests("L4TierTests", ["L4Tier", "ControlPlane", "Engine", "Model", "Topology"]),
        tests("ProbingTests", ["ControlPlane", "Engine", "Health", "Model"]),
        tests("HTTPWireTests", ["HTTPWire", "Model"]),
        tests("HTTPExchangeTests", ["HTTPExchange", "HTTPWire", "Engine", "Model"]),
        tests(
            "L7TierTests",
            ["L7Tier", "ControlPlane", "Engine", "Federation", "HTTPWire", "Model", "Topology", "CMallocCount"]),
        tests("TopologyTests", ["Topology", "Model"]),
        tests("MeridianctlTests", ["meridianctl", "ControlPlane", "HTTPExchange", "Model", argumentParser]),
    ]
)
