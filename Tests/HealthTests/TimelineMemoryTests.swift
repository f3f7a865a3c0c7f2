import Health
import Model
import TestKit
import Testing

@Suite("Remembered timelines") struct TimelineMemoryTests {
    private func key(_ pool: String = "orders", _ system: UInt64 = 7, region: String = "eu") -> ClusterTimeline.Key {
        ClusterTimeline.Key(pool: pool, region: region, system: system)
    }

    @Test("It rises and never falls, and says when it rose") func rises() {
        var memory = TimelineMemory()
        let pools: Set = ["orders"]
        let rises = ([1, 3, 2, 3, 0] as [UInt32]).map { memory.learn($0, of: key(), pools: pools) }
        #expect(rises == [true, true, false, false, false])
        #expect(memory.known(in: "orders", "eu", pools: pools) == [7: 3])
        #expect(memory.known(in: "orders", "us", pools: pools).isEmpty)
    }

    @Test("A pool that was given another name goes by what its old name knew") func renamed() {
        var memory = TimelineMemory()
        memory.learn(2, of: key("orders"), pools: ["orders"])
        let pools: Set = ["sales"]
        #expect(memory.known(in: "sales", "eu", pools: pools) == [7: 2])
        memory.learn(1, of: key("sales"), pools: pools)
        #expect(memory[key("sales")]?.timeline == 2)
        // Its servers told 2 then; what an unnamed server told belongs to its pool alone.
        memory.learn(5, of: key("orders", 0), pools: ["orders"])
        #expect(memory.known(in: "other", "eu", pools: ["other"])[0] == nil)
    }

    @Test("A copy that was promoted in another pool says nothing about the original, even when its pool is gone")
    func copies() {
        var memory = TimelineMemory()
        let both: Set = ["orders", "copy"]
        memory.learn(1, of: key("orders"), pools: both)
        memory.learn(4, of: key("copy"), pools: both)
        #expect(memory.known(in: "orders", "eu", pools: both) == [7: 1])
        #expect(memory.known(in: "orders", "eu", pools: ["orders"]) == [7: 1])
        memory.learn(1, of: key("orders"), pools: ["orders"])
        #expect(memory[key("orders")]?.timeline == 1)
    }

    @Test("An operator's word stands against old copies of what was known, and rises again from there") func accepted()
    {
        var memory = TimelineMemory()
        memory.learn(5, of: key(), pools: ["orders"])
        let old = memory.sorted
        let now = Timestamp(milliseconds: 1000)
        _ = memory.accept(2, of: key(), pools: ["orders"], now: now)
        #expect(memory[key()]?.timeline == 2)
        let nothing = memory.merge(old)
        #expect(nothing.isEmpty && memory[key()]?.timeline == 2)
        var peer = TimelineMemory(old)
        let word = peer.merge(memory.sorted)
        #expect(word.map(\.timeline) == [2])
        #expect(peer.sorted == memory.sorted)
        memory.learn(3, of: key(), pools: ["orders"])
        let rise = peer.merge(memory.sorted)
        #expect(rise.map(\.timeline) == [3])
        // A clock that went back makes no older word.
        let again = memory.accept(1, of: key(), pools: ["orders"], now: Timestamp(milliseconds: 5))
        #expect(again.accepted == 1001)
    }

    @Test("Merging ends alike, whatever the order") func merging() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let words = (0..<8).map { _ in
                ClusterTimeline(
                    key("p", .random(in: 1...2, using: &generator)), timeline: .random(in: 1...3, using: &generator),
                    accepted: .random(in: 0...2, using: &generator))
            }
            let first = TimelineMemory(words)
            var second = TimelineMemory(words.shuffled(using: &generator))
            second.merge(words.prefix(3))
            #expect(first.sorted == second.sorted)
        }
    }

    @Test("It is bounded: a server that tells another cluster each time pushes out its own pool's alone") func bounded()
    {
        var memory = TimelineMemory()
        let pools: Set = ["orders", "bad"]
        memory.learn(2, of: key(), pools: pools)
        for system in 1...5000 { memory.learn(9, of: key("bad", UInt64(system)), pools: pools) }
        #expect(memory[key()]?.timeline == 2)
        #expect(memory.entries.count == 1 + TimelineMemory.poolCapacity)
        for pool in 0..<1000 {
            memory.merge([ClusterTimeline(key("p\(pool)"), timeline: 1)])
            memory.learn(1, of: key("q\(pool)"), pools: pools)
            memory.learn(2, of: key(), pools: pools)
        }
        #expect(memory.entries.count == TimelineMemory.capacity && memory[key()]?.timeline == 2)
    }
}
