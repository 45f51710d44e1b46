"""What the client can do, in the order in which one meets it: python3 example.py [URL]"""
import sys

from cloister import Busy, Cloister, Refused


def example(cloister: Cloister) -> None:
    result = cloister.execute("python", "print(input()[::-1])", stdin="olleh")
    print("it printed", result["output"].strip())

    for event in cloister.stream("python", "for i in range(3): print(i)"):
        if event.name == "output":
            print(event.data["data"], end="", flush=True)
        elif event.name == "result":
            print("it ended:", event.data["verdict"])

    judged = cloister.judge("python", "print(int(input()) ** 2)",
                            [{"stdin": "3", "expected": "9"}, {"stdin": "4", "expected": "15"}])
    print(f"{judged['verdict']}: {judged['verdicts'].get('AC', 0)} of {judged['tests']}")

    try:
        cloister.execute("pyton", "")
    except Refused as why:
        print("refused:", why.code)
    except Busy as why:
        print("again in", why.retry_after, "s")


if __name__ == "__main__":
    example(Cloister(*sys.argv[1:2]))
