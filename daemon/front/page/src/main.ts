import "./style/main.css"
document.body.append("Cloister")
